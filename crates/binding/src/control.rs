//! `control(operation, id, flag)`: the calls that every connection needs, as a plain function.

use std::ffi::CStr;
use std::rc::Weak;

use ferronet_numbers::Operation;
use ferronet_reactor::{Closing, Errno, SocketOptions};
use napi::bindgen_prelude::Unknown;
use napi::{Env, Result};

use crate::event_loop::EventLoop;
use crate::numbers;
use crate::plain::{self, Arguments, Plain};
use crate::reactor_ref::ReactorRef;

struct Control {
    reactor: ReactorRef,
    /// Of nothing where the loop is not libuv's.
    event_loop: Weak<EventLoop>,
}

impl Plain for Control {
    const NAME: &CStr = c"control";

    type Answer = f64;

    fn call(&self, arguments: &Arguments) -> f64 {
        let core = self.reactor.get();
        let Some(operation) = Operation::of(arguments.integer(0)) else {
            return f64::from(Errno::EINVAL.code());
        };
        let id = numbers::id(arguments.number(1));
        let done = match operation {
            Operation::ReadStart => core.read_start(id),
            Operation::ReadStop => core.read_stop(id),
            Operation::Shutdown => core.shutdown_write(id),
            Operation::Close => core.close(id, Closing::Orderly),
            Operation::Reset => core.close(id, Closing::Reset),
            Operation::ReportClosed => {
                core.report_closed(id);
                Ok(())
            }
            Operation::SetNoDelay => core.set_options(
                id,
                &SocketOptions {
                    no_delay: Some(arguments.integer(2) != 0),
                    ..SocketOptions::default()
                },
            ),
            Operation::AtClosing => match self.event_loop.upgrade() {
                Some(event_loop) => {
                    event_loop.at_closing();
                    Ok(())
                }
                None => Err(Errno::ENOTSUP),
            },
        };
        done.map_or_else(|errno| f64::from(errno.code()), |()| 0.0)
    }
}

/// Makes the function. It returns 0 or a negative error.
///
/// # Errors
/// When the environment is ending.
pub(crate) fn function(env: &Env, reactor: ReactorRef, event_loop: Weak<EventLoop>) -> Result<Unknown<'_>> {
    plain::function(env, Control { reactor, event_loop })
}
