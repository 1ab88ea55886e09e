//! What happens to connections that wait while the process has no descriptor for them.
//!
//! They are refused, so that their clients do not wait for a server that cannot serve them: on the consumer's
//! thread, in order with its events. A consumer that is busy leaves them waiting, and may close something
//! before its turn comes.

use std::sync::Arc;
use std::task::Waker;

use super::listener::Listener;
use super::state::ACCEPTS_PER_TURN;

impl Listener {
    /// Handles one [`Event::Exhausted`](crate::Event::Exhausted), on the consumer's thread: refuses some of
    /// the waiting connections, unless descriptors are available again.
    pub(crate) fn refuse_some(self: &Arc<Self>) {
        let acceptor = self.acceptor.read();
        let (Some(acceptor), Some(connections)) = (acceptor.as_ref(), self.connections.upgrade()) else {
            return;
        };
        let mut state = self.accepting.lock();
        if !std::mem::take(&mut state.exhausted) {
            return;
        }
        let is_relieved = self.accept_one(acceptor, &*connections) || acceptor.refuse(ACCEPTS_PER_TURN) > 0;
        let waker = Waker::from(Arc::clone(self));
        if is_relieved {
            drop(state);
            waker.wake();
        } else {
            state.retry.pause(&self.shard.timers, waker);
        }
    }
}
