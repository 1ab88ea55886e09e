//! What the tasks of one runtime receive by: blocks of the process's budget, and the pipe of its relays.

use std::task::Waker;

use parking_lot::{Mutex, MutexGuard};

use crate::sys::SplicePipe;

use super::budget::{Block, Budget, READ_AHEAD, Waiter};

#[derive(Debug)]
pub(crate) struct Buffers {
    budget: &'static Budget,
    pipe: Mutex<SplicePipe>,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            budget: &READ_AHEAD,
            pipe: Mutex::default(),
        }
    }
}

impl Buffers {
    /// The pipe that all relays of the runtime share. It is empty between two uses.
    pub(crate) fn splice_pipe(&self) -> MutexGuard<'_, SplicePipe> {
        self.pipe.lock()
    }

    /// A block for bytes that do not stay in it, which is there even when the budget is used up.
    pub(crate) fn force_block(&self) -> Block {
        self.budget.force_block()
    }

    /// A block for bytes that may stay in it: `used` again, or another one ([`Budget::acquire`]).
    pub(crate) fn acquire(
        &self,
        used: Option<Block>,
        waiter: &mut Option<Waiter>,
        waker: &Waker,
    ) -> Option<Block> {
        used.and_then(Block::recharge)
            .or_else(|| self.budget.acquire(waiter, waker))
    }
}
