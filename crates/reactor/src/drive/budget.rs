//! The limit on the memory that all connections of the process use for bytes that were read and not yet taken
//! by their consumers. All reactors share it.
//!
//! A read needs a [`Block`], which is charged before the read; the part of the charge that the read does not
//! need is released after it. [`Ledger`] says who gets a block when: a request that finds no room registers a
//! [`Waiter`], whose waker is called when it is granted one.
//!
//! Progress never depends on the budget: a consumer that finds nothing read ahead reads into its own memory,
//! which is not charged.
//!
//! Two things are charged even without room and can exceed the limit: the block of a relay, which keeps no
//! bytes in it (one per runtime, for one turn), and bytes that a consumer has taken and puts back when it
//! transfers a connection.
//!
//! The lock is a leaf: nothing else is locked and no waker is called while it is held.

use std::task::Waker;

use ferronet_core::inbox::{BLOCK, CREDIT};
use ferronet_core::ledger::{Acquired, Ledger, Ticket};
use parking_lot::Mutex;

use super::run_queue;

/// The limit for all connections of the process, 16 MiB: the credit of 64 of them, or what 10 Gbit/s deliver
/// in 13 ms. While it is reached, further bytes wait in the kernel's buffers.
pub(crate) static READ_AHEAD: Budget = Budget::new(64 * CREDIT, BLOCK);

/// Memory for bytes that were received and that no consumer has taken, of all reactors of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadAhead {
    /// Bytes in use.
    pub charged: usize,
    /// Bytes that reads may use. Bytes that are put back when a connection is transferred, and one block of
    /// 64 KiB for each runtime with relays, may come on top.
    pub limit: usize,
}

/// How much memory the process uses for bytes that were read ahead of their consumers.
pub fn read_ahead() -> ReadAhead {
    let ledger = READ_AHEAD.ledger.lock();
    ReadAhead {
        charged: ledger.charged(),
        limit: ledger.limit(),
    }
}

#[derive(Debug)]
pub(crate) struct Budget {
    ledger: Mutex<Ledger<Waker>>,
    /// The size of a block, in bytes.
    block: usize,
}

impl Budget {
    /// A budget of `limit` bytes, at least one block, that hands out blocks of `block` bytes.
    pub(crate) const fn new(limit: usize, block: usize) -> Self {
        Self {
            ledger: Mutex::new(Ledger::new(limit, block)),
            block,
        }
    }

    #[cfg(test)]
    pub(crate) fn charged(&self) -> usize {
        self.ledger.lock().charged()
    }

    /// A block, if there is room for one or `waiter` was granted one. Otherwise `waiter` is registered, and
    /// `waker` is called when it is granted a block.
    pub(crate) fn acquire(&'static self, waiter: &mut Option<Waiter>, waker: &Waker) -> Option<Block> {
        let ticket = waiter.as_ref().map(|waiter| waiter.ticket);
        let acquired = self.ledger.lock().acquire(ticket, || waker.clone());
        match acquired {
            Acquired::Waiting(ticket) => {
                waiter.get_or_insert_with(|| Waiter { budget: self, ticket });
                None
            }
            Acquired::Block(memory) => {
                if let Some(granted) = waiter.take() {
                    // The caller gets its block, so it must not be released.
                    std::mem::forget(granted);
                }
                Some(self.block_in(memory))
            }
        }
    }

    /// A block, even if there is no room for it.
    pub(crate) fn force_block(&'static self) -> Block {
        let memory = self.ledger.lock().force_block();
        self.block_in(memory)
    }

    /// Charges memory that is allocated already, even if there is no room for it.
    pub(crate) fn force_charge(&'static self, bytes: usize) -> Charge {
        self.ledger.lock().force_charge(bytes);
        Charge { budget: self, bytes }
    }

    /// A block that is charged already.
    fn block_in(&'static self, memory: Option<Box<[u8]>>) -> Block {
        Block {
            bytes: memory.unwrap_or_else(|| vec![0; self.block].into_boxed_slice()),
            charge: Charge {
                budget: self,
                bytes: self.block,
            },
        }
    }

    /// Releases charged bytes, with the memory of a block if they were one.
    fn release(&self, bytes: usize, memory: Option<Box<[u8]>>) {
        let granted = self.ledger.lock().release(bytes, memory);
        wake(granted);
    }
}

/// Wakes tasks that were granted a block, outside of the lock.
fn wake(granted: Vec<Waker>) {
    for waker in granted {
        run_queue::wake_interrupting(waker);
    }
}

/// A connection's turn in the queue, or the block that it was granted and has not acquired.
#[derive(Debug)]
pub(crate) struct Waiter {
    budget: &'static Budget,
    ticket: Ticket,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let granted = self.budget.ledger.lock().cancel(self.ticket);
        wake(granted);
    }
}

/// Charged bytes, released on drop.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: &'static Budget,
    bytes: usize,
}

impl Charge {
    /// Moves `bytes` out of it, at most all.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self {
            budget: self.budget,
            bytes,
        }
    }

    /// Adds `other` to it.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.release(self.bytes, None);
        }
    }
}

/// A buffer for one read.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Box<[u8]>,
    charge: Charge,
}

impl Block {
    /// Where to read to.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The first `read` bytes of what was read into it.
    pub(crate) fn first(&self, read: usize) -> &[u8] {
        &self.bytes[..read]
    }

    /// Moves the charge of `bytes` to the memory that they were copied to. [`Block::recharge`] comes before
    /// the next read.
    pub(crate) fn split_charge(&mut self, bytes: usize) -> Charge {
        self.charge.split(bytes)
    }

    /// Charges the whole block again. `None`, and the block is released, if there is no room for that or
    /// there are waiters.
    pub(crate) fn recharge(mut self) -> Option<Self> {
        let missing = self.bytes.len() - self.charge.bytes;
        if missing > 0 {
            if !self.charge.budget.ledger.lock().try_charge(missing) {
                return None;
            }
            self.charge.bytes += missing;
        }
        Some(self)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let charged = std::mem::take(&mut self.charge.bytes);
        let memory = std::mem::take(&mut self.bytes);
        self.charge.budget.release(charged, Some(memory));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    const BLOCK: usize = 10;

    /// Charges need a static one.
    fn budget(blocks: usize) -> &'static Budget {
        Box::leak(Box::new(Budget::new(blocks * BLOCK, BLOCK)))
    }

    /// Who was woken, in order.
    type Woken = Arc<Mutex<VecDeque<usize>>>;

    struct Reader {
        number: usize,
        woken: Woken,
    }

    impl Wake for Reader {
        fn wake(self: Arc<Self>) {
            self.woken.lock().push_back(self.number);
        }
    }

    fn waker(number: usize, woken: &Woken) -> Waker {
        let woken = Arc::clone(woken);
        Waker::from(Arc::new(Reader { number, woken }))
    }

    /// A block for a reader that has no waiter.
    fn acquire(budget: &'static Budget) -> Option<Block> {
        budget.acquire(&mut None, Waker::noop())
    }

    fn spare(budget: &Budget) -> usize {
        budget.ledger.lock().spare()
    }

    #[test]
    fn a_block_is_charged_until_it_is_dropped_and_its_memory_is_reused() {
        let budget = budget(2);
        let mut block = acquire(budget).unwrap();
        assert_eq!((budget.charged(), block.space().len()), (BLOCK, BLOCK));
        block.space()[0] = 7;
        drop(block);
        assert_eq!((budget.charged(), spare(budget)), (0, 1));
        assert_eq!(acquire(budget).unwrap().first(1), [7], "the same memory");
        assert_eq!(spare(budget), 1);
    }

    #[test]
    fn copied_bytes_stay_charged_and_the_rest_of_the_block_is_released() {
        let budget = budget(2);
        let mut block = acquire(budget).unwrap();
        let mut kept = block.split_charge(3);
        let block = block.recharge().unwrap();
        assert_eq!(budget.charged(), BLOCK + 3);
        let mut block = block.recharge().unwrap();
        kept.absorb(block.split_charge(4));
        drop(block);
        assert_eq!(budget.charged(), 7);
        drop(kept);
        assert_eq!(budget.charged(), 0);
    }

    #[test]
    fn a_waiter_that_asks_again_keeps_its_turn_and_gets_the_block_that_it_is_granted() {
        let (budget, woken) = (budget(1), Woken::default());
        let block = acquire(budget);
        let mut waiter = None;
        for _ in 0..2 {
            assert!(budget.acquire(&mut waiter, &waker(0, &woken)).is_none());
        }
        drop(block);
        assert_eq!(*woken.lock(), [0]);
        let block = budget.acquire(&mut waiter, Waker::noop());
        assert!(block.is_some() && waiter.is_none());
        assert!(acquire(budget).is_none());
        drop(block);
        assert_eq!(budget.charged(), 0);
    }

    #[test]
    fn a_dropped_waiter_passes_its_turn_on() {
        let (budget, woken) = (budget(1), Woken::default());
        let block = acquire(budget);
        let mut waiters = [None, None, None];
        for (number, waiter) in waiters.iter_mut().enumerate() {
            assert!(budget.acquire(waiter, &waker(number, &woken)).is_none());
        }
        waiters[1] = None;
        drop(block);
        assert_eq!(*woken.lock(), [0]);
        waiters[0] = None;
        assert_eq!(*woken.lock(), [0, 2]);
        waiters[2] = None;
        assert_eq!(budget.charged(), 0);
        assert!(acquire(budget).is_some());
    }

    #[test]
    fn a_waker_can_use_the_budget() {
        struct Acquires(&'static Budget, Mutex<Option<Waiter>>);
        impl Wake for Acquires {
            fn wake(self: Arc<Self>) {
                let block = self.0.acquire(&mut self.1.lock(), Waker::noop());
                assert!(block.is_some());
            }
        }
        let budget = budget(1);
        let block = acquire(budget);
        let reader = Arc::new(Acquires(budget, Mutex::new(None)));
        let waker = Waker::from(Arc::clone(&reader));
        assert!(budget.acquire(&mut reader.1.lock(), &waker).is_none());
        drop(block);
        assert!(reader.1.lock().is_none());
        assert_eq!(budget.charged(), 0);
    }

    #[test]
    fn recharging_a_block_does_not_overtake_waiters() {
        let (budget, woken) = (budget(2), Woken::default());
        let mut block = acquire(budget).unwrap();
        let kept = [block.split_charge(2), budget.force_charge(8)];
        let mut waiter = None;
        assert!(budget.acquire(&mut waiter, &waker(0, &woken)).is_none());
        assert!(block.recharge().is_none(), "though two more bytes would fit");
        assert_eq!(*woken.lock(), [0]);
        drop((kept, waiter));
        assert_eq!(budget.charged(), 0);
    }
}
