//! Who may use a pipe.

use std::io;
use std::os::windows::io::{AsRawHandle as _, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, SetKernelObjectSecurity,
};

use super::name::wide;

/// Everything for the system, administrators and the owner.
const OURS: &str = "D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)";
/// As libuv grants it: with what a client needs to set its end up.
const READ: &str = "(A;;GR;;;WD)(A;;0x100;;;WD)";
const WRITE: &str = "(A;;GW;;;WD)(A;;0x80;;;WD)";

/// Lets everybody read a pipe, write it, or both, or neither.
pub(super) fn open_to_all(pipe: &OwnedHandle, readable: bool, writable: bool) -> io::Result<()> {
    let text = [
        OURS,
        if readable { READ } else { "" },
        if writable { WRITE } else { "" },
    ]
    .concat();
    let descriptor = Descriptor::parse(&text)?;
    // SAFETY: the handle is open and has the right `WRITE_DAC`; the descriptor is a whole one.
    let set =
        unsafe { SetKernelObjectSecurity(pipe.as_raw_handle(), DACL_SECURITY_INFORMATION, descriptor.0) };
    if set == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A security descriptor, in memory of the system's.
#[derive(Debug)]
pub(super) struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// For the owner and the system, whatever stands above.
    pub(super) fn owner_only() -> io::Result<Self> {
        Self::parse("D:P(A;;FA;;;SY)(A;;FA;;;OW)")
    }

    /// What a call that makes something takes. Not inherited by child processes. The descriptor has to outlive it.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let text = wide(text)?;
        let mut descriptor = ptr::null_mut();
        // SAFETY: `text` ends with NUL; the descriptor is written, and the size is not asked for.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(descriptor))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: made by the call that says so, and freed once.
        unsafe { LocalFree(self.0) };
    }
}
