//! The state of the receiving half of a connection.

use ferronet_core::state::Reading;

use crate::drive::budget::Waiter;
use crate::socket::errno::Errno;

use super::chunk::{Chunk, Inbox};
use super::relay_state::Relay;

/// How often one turn reads before other connections get theirs (libuv reads at most 32 times).
pub(super) const READS_PER_TURN: usize = 16;

/// What [`Reactor::take`](crate::Reactor::take) gives.
#[derive(Debug)]
pub enum Received {
    /// So many bytes were read into the space that was given.
    Read(usize),
    /// Bytes that were read before.
    Data(Chunk),
    /// Nothing will follow: [`Errno::EOF`] for the peer's FIN, else the error of the read.
    End(Errno),
}

/// One piece of what was received.
#[derive(Debug)]
pub struct Taken {
    /// What it is.
    pub received: Received,
    /// There is more of the same read: take again, or [`Reactor::take_later`](crate::Reactor::take_later). No
    /// event announces it.
    pub more: bool,
}

#[derive(Debug)]
pub(super) struct Reader<D> {
    pub(super) state: Reading,
    pub(super) inbox: Inbox,
    /// An [`Event::Readable`](crate::Event::Readable) is queued and not taken yet: there is one at a time.
    pub(super) announced: bool,
    /// The task has asked the driver to be woken when bytes arrive, so that starting to read needs no wake.
    pub(super) armed: bool,
    /// The task's turn to read ahead, while the budget of the process is used up. In a box, since every idle
    /// connection would pay for the room.
    pub(super) waiter: Option<Box<Waiter>>,
    /// Where the bytes go, if not to the consumer.
    pub(super) relay: Relay<D>,
}

impl<D> Reader<D> {
    pub(super) fn new() -> Self {
        Self {
            state: Reading::Paused,
            inbox: Inbox::default(),
            announced: false,
            armed: false,
            waiter: None,
            relay: Relay::default(),
        }
    }

    /// Whether a relay moves what arrives. The end, once it was read, is the consumer's.
    pub(super) fn is_relaying(&self) -> bool {
        self.relay.is_active() && !self.inbox.is_at_end()
    }

    /// Whether something waits that was not announced. It counts as announced then.
    pub(super) fn announce(&mut self) -> bool {
        let announce = self.state == Reading::Flowing && !self.inbox.is_empty() && !self.announced;
        self.announced |= announce;
        announce
    }

    /// The connection is closed: drops what was read, and moves nothing any more.
    pub(super) fn close(&mut self) {
        self.state.close();
        self.waiter = None;
        self.inbox.clear();
        self.relay.end();
    }
}
