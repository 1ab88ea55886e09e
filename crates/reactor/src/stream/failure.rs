//! Which half reports a failed write.
//!
//! libuv reads before it writes, so a reset is the read's error, and the writes that waited are cancelled by
//! the close that follows. Here a write may meet the error first, on any thread. So a consumer that reads is
//! asked to take what the read finds, and the failure is reported if that was no error. A consumer that does
//! not read gets the failure at once.

use ferronet_core::state::Reading;

use crate::event::event::Event;
use crate::socket::errno::Errno;

use super::connection::Connection;
use super::writer::Writer;

impl Connection {
    /// What the end of reading means, in the light of what the writing half has met; that is reported behind
    /// it.
    pub(super) fn settle_end(&self, end: Errno) -> Errno {
        let mut writer = self.writer.lock();
        writer.peer_ended = true;
        let end = if end == Errno::EOF {
            writer.end_of_file()
        } else {
            end
        };
        if end == Errno::EOF {
            self.deliver_failure(&mut writer);
        } else {
            // The consumer closes the connection for this error, which ends what waits for its writes.
            writer.forget_failure();
        }
        end
    }

    /// Reports a failed write, at the end of a turn.
    pub(super) fn report_failure(&self) {
        if !self.writer.lock().has_failed() {
            return;
        }
        let mut reader = self.reader.lock();
        if reader.state == Reading::Flowing {
            // What is left to read goes the consumer's way, behind what was relayed.
            reader.relay.end();
            if !std::mem::replace(&mut reader.announced, true) {
                self.events.push(Event::Readable { id: self.id });
            }
        } else {
            self.deliver_failure(&mut self.writer.lock());
        }
    }

    /// Reports the failure that there is, if any, as one of writes.
    pub(super) fn deliver_failure(&self, writer: &mut Writer) {
        let Some(failure) = writer.take_failure() else {
            return;
        };
        let (id, result) = (self.id, Err(failure.errno));
        for _ in 0..failure.requests {
            self.events.push(Event::Wrote { id, result });
        }
        if failure.requests == 0 {
            self.events.push(Event::Broken {
                id,
                errno: failure.errno,
            });
        }
        if failure.shutdown {
            self.events.push(Event::ShutDown { id, result });
        }
    }
}
