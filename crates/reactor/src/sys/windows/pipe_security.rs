//! Who may use a pipe.

use std::os::windows::io::{AsRawHandle as _, OwnedHandle};
use std::{io, ptr};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, SetKernelObjectSecurity,
};

use super::path::wide;

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
    /// For the owner and the system, without what is inherited.
    pub(super) fn owner_only() -> io::Result<Self> {
        Self::parse("D:P(A;;FA;;;SY)(A;;FA;;;OW)")
    }

    /// What a call that makes something takes. Not inherited by child processes. The descriptor has to
    /// outlive it.
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::os::windows::io::OwnedHandle;
    use std::slice;

    use windows_sys::Win32::Security::Authorization::ConvertSecurityDescriptorToStringSecurityDescriptorW;
    use windows_sys::Win32::Security::GetKernelObjectSecurity;

    use super::super::pipe_instance::{Place, create};
    use super::*;
    use crate::sys::access::LocalAccess;

    /// A descriptor as text: the system has more than one way to say the same.
    fn text(descriptor: PSECURITY_DESCRIPTOR) -> String {
        let (mut text, mut length) = (ptr::null_mut(), 0);
        // SAFETY: the descriptor is a whole one; `text` and `length` are written.
        let made = unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor,
                SDDL_REVISION_1,
                DACL_SECURITY_INFORMATION,
                &raw mut text,
                &raw mut length,
            )
        };
        assert_ne!(made, 0, "{}", io::Error::last_os_error());
        // SAFETY: so many units were written there by the call that succeeded.
        let units = unsafe { slice::from_raw_parts(text, usize::try_from(length).unwrap()) };
        let found = String::from_utf16_lossy(units);
        // SAFETY: made by the call that says so, and freed once.
        unsafe { LocalFree(text.cast()) };
        found
    }

    /// The security descriptor of a pipe, as the system has it.
    fn noted(pipe: &OwnedHandle) -> String {
        let mut descriptor = vec![0_u64; 128];
        let size = u32::try_from(size_of_val(descriptor.as_slice())).unwrap();
        let mut used = 0;
        // SAFETY: the handle is open, and the place is as large as is said.
        let got = unsafe {
            GetKernelObjectSecurity(
                pipe.as_raw_handle(),
                DACL_SECURITY_INFORMATION,
                descriptor.as_mut_ptr().cast(),
                size,
                &raw mut used,
            )
        };
        assert_ne!(got, 0, "{}", io::Error::last_os_error());
        text(descriptor.as_mut_ptr().cast())
    }

    fn meant(descriptor: &Descriptor) -> String {
        text(descriptor.0)
    }

    fn name(of: &str) -> String {
        format!(r"\\.\pipe\ferronet-security-{of}-{}", std::process::id())
    }

    #[test]
    fn only_the_owner_may_use_a_pipe_for_the_owner_and_its_further_instances() {
        let path = name("owner");
        let first = create(&path, Place::First(LocalAccess::Owner)).unwrap();
        let second = create(&path, Place::Further).unwrap();
        let owner_only = meant(&Descriptor::owner_only().unwrap());
        assert_eq!(owner_only.matches("(A;").count(), 2, "{owner_only}");
        assert_eq!([noted(&first), noted(&second)], [owner_only.clone(), owner_only]);
    }

    #[test]
    fn a_pipe_is_opened_to_all_for_reading_or_writing_or_both() {
        let pipe = create(&name("all"), Place::First(LocalAccess::Usual)).unwrap();
        for (readable, writable, expected) in [
            (true, false, [OURS, READ, ""].concat()),
            (false, true, [OURS, "", WRITE].concat()),
            (true, true, [OURS, READ, WRITE].concat()),
        ] {
            open_to_all(&pipe, readable, writable).unwrap();
            assert_eq!(noted(&pipe), meant(&Descriptor::parse(&expected).unwrap()));
        }
    }
}
