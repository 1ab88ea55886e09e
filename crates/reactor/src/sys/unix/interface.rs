//! The interface behind the zone of an IPv6 address.

use std::ffi::{CStr, CString};

/// The scope id behind the zone of an IPv6 address (`fe80::1%eth0`), 0 when there is no such interface.
pub(crate) fn zone_to_scope(zone: &str) -> u32 {
    if let Ok(number) = zone.parse() {
        return number;
    }
    let Ok(name) = CString::new(zone) else { return 0 };
    // SAFETY: `name` is a NUL-terminated string that lives through the call.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

/// The zone to print for a scope id.
pub(crate) fn scope_to_zone(scope: u32) -> Option<String> {
    let mut name: [libc::c_char; libc::IF_NAMESIZE] = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the IF_NAMESIZE bytes that the call may fill.
    let found = unsafe { libc::if_indextoname(scope, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: a call that found a name has written it, NUL-terminated, into the buffer.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    Some(name.to_string_lossy().into_owned())
}
