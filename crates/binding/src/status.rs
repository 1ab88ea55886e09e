//! The status that a raw Node-API call returns, as a `Result`.

use napi::{Status, sys};

/// # Errors
/// Any status but `napi_ok`.
pub(crate) fn ok(status: sys::napi_status) -> Result<(), Status> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(status),
    }
}
