//! `openTcp(ipv6, options)`: the socket of every connect, as a plain function.

use std::ffi::CStr;

use ferronet_reactor::Errno;
use napi::bindgen_prelude::Unknown;
use napi::{Env, Result};

use crate::numbers::made;
use crate::options;
use crate::plain::{self, Arguments, Plain};
use crate::reactor_ref::ReactorRef;

struct Opener(ReactorRef);

impl Plain for Opener {
    const NAME: &CStr = c"openTcp";

    type Answer = f64;

    fn call(&self, arguments: &Arguments) -> f64 {
        // First: reading the options may run JavaScript.
        let options = options::read_any(arguments.object(1).as_ref()).map_err(|_| Errno::EINVAL);
        made(options.and_then(|options| self.0.get().tcp_socket(arguments.integer(0) != 0, &options)))
    }
}

/// Makes the function. It returns an id or a negative error.
///
/// # Errors
/// When the environment is ending.
pub(crate) fn function(env: &Env, reactor: ReactorRef) -> Result<Unknown<'_>> {
    plain::function(env, Opener(reactor))
}
