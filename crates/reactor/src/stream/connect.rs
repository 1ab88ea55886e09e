//! The end of a connect.

use std::task::{Context, Poll};

use ferronet_core::lanes::Lane;
use ferronet_core::state::Writing;

use crate::event::event::Event;
use crate::socket::errno::Errno;
use crate::sys::Transport;

use super::connection::Connection;
use super::io::StreamIo;

impl Connection {
    pub(crate) fn is_connecting(&self) -> bool {
        self.writer.lock().state == Writing::Connecting
    }

    /// Reports a connect that has ended with the call that began it: after what the coming poll finds, as
    /// epoll does. The connection of a listener of this process is reported before, even if that belongs to
    /// another library (an http server of Node's).
    pub(crate) fn connected(&self) {
        self.writer.lock().state.connect_ended(true);
        let event = Event::Connected {
            id: self.id,
            result: Ok(()),
        };
        self.events.push_in(Lane::AfterPoll, event);
    }

    /// As [`Connection::connected`], of one that has failed. libuv keeps the error of a local connect for its
    /// pending queue.
    pub(crate) fn connect_failed(&self, transport: Transport, errno: Errno) {
        self.writer.lock().state.connect_ended(false);
        let event = Event::Connected {
            id: self.id,
            result: Err(errno),
        };
        let lane = if transport.defers_connect_errors() {
            Lane::Pending
        } else {
            Lane::NextTurn
        };
        self.events.push_in(lane, event);
    }

    /// Whether a connection that was made is still one.
    pub(crate) fn confirm(&self) -> Result<(), Errno> {
        let result =
            self.opened()
                .and_then(|stream| match stream.socket().map(|socket| socket.take_error()) {
                    Some(Ok(Some(error)) | Err(error)) => Err(error.into()),
                    Some(Ok(None)) | None => Ok(()),
                });
        if result.is_err() {
            self.writer.lock().state.close();
        }
        result
    }

    pub(super) fn connect_turn(&self, stream: &StreamIo, cx: &mut Context<'_>) {
        let mut writer = self.writer.lock();
        if writer.state != Writing::Connecting {
            return;
        }
        let Poll::Ready(result) = stream.poll_connect(cx) else {
            return;
        };
        let result = result.map_err(Errno::from);
        writer.state.connect_ended(result.is_ok());
        self.events.push(Event::Connected { id: self.id, result });
    }
}
