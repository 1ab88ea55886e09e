//! The options of a socket, as they cross from JavaScript: an object whose fields may be undefined.

use std::ffi::CStr;

use ferronet_reactor::{KeepAlive, SocketOptions};
use napi::Result;
use napi::bindgen_prelude::{FromNapiValue, JsObjectValue as _, Object};

/// Reads the fields of `TcpOptions` in `lib/handle/options.ts`.
///
/// # Errors
/// For a field of another type.
pub(crate) fn read(given: &Object<'_>) -> Result<SocketOptions> {
    Ok(SocketOptions {
        no_delay: field(given, c"noDelay")?,
        keep_alive: field(given, c"keepAlive")?
            .map(|it| keep_alive(&it))
            .transpose()?,
        type_of_service: field(given, c"typeOfService")?,
        ..SocketOptions::default()
    })
}

/// As [`read`], and none if there is no object.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_any(given: Option<&Object<'_>>) -> Result<SocketOptions> {
    given.map_or_else(|| Ok(SocketOptions::default()), read)
}

fn keep_alive(given: &Object<'_>) -> Result<KeepAlive> {
    let number = |name| Ok::<u32, napi::Error>(field(given, name)?.unwrap_or(0));
    if field(given, c"enable")? != Some(true) {
        return Ok(KeepAlive::Off);
    }
    Ok(KeepAlive::from_seconds(
        number(c"idle")?,
        number(c"interval")?,
        number(c"count")?,
    ))
}

fn field<T: FromNapiValue>(given: &Object<'_>, name: &CStr) -> Result<Option<T>> {
    given.get_c_named_property_unchecked(name)
}
