//! A limit on the memory that all connections of the process use for bytes that were read and not yet taken by their
//! consumers. All reactors share it.
//!
//! It counts allocations, not the bytes in them. A read needs a [`Block`], which is charged before the read; the part of
//! the charge that the read does not need is released after it. Requests are served first come, first served. A request
//! that finds no room registers a [`Waiter`]. As soon as a whole block is free again, the first waiter is granted it and
//! its waker is called. A waiter that is dropped, granted or not, passes its turn on.
//!
//! | waiter | on | becomes |
//! | --- | --- | --- |
//! | none | `acquire` without room | waiting |
//! | waiting | a block is free, and it is the first | granted: the block is charged, the waker called |
//! | granted | `acquire` | none: the caller has the block |
//! | waiting, granted | dropped | none: a granted block is released |
//!
//! So less than one block is free while there are waiters, and newcomers cannot overtake them.
//!
//! Progress never depends on the budget: a consumer that finds nothing read ahead reads into its own memory, which is not
//! charged.
//!
//! Released blocks keep their memory for later reads where the limit leaves room, so spare memory is within the limit too.
//! Two things are charged even without room and can exceed it: the block of a relay, which keeps no bytes in it (one per
//! runtime, for one turn), and bytes that a consumer has taken and puts back when it transfers a connection.
//!
//! The lock is a leaf: nothing else is locked and no waker is called while it is held.

use std::collections::BTreeMap;
use std::task::Waker;

use parking_lot::Mutex;

use crate::drive::run_queue;

/// How many unused blocks keep their memory.
const SPARE: usize = 32;

#[derive(Debug)]
pub(crate) struct Budget {
    /// In bytes.
    limit: usize,
    /// The size of a block.
    block: usize,
    ledger: Mutex<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    /// Bytes that are charged, granted blocks included.
    charged: usize,
    /// Granted waiters that have not acquired their block: it is charged and has no memory yet.
    granted: usize,
    /// The other waiters, by number, which is their order.
    waiting: BTreeMap<u64, Waker>,
    next_waiter: u64,
    /// Memory of unused blocks. Not charged.
    spare: Vec<Box<[u8]>>,
}

impl Budget {
    /// A budget of `limit` bytes, at least one block, that hands out blocks of `block` bytes.
    pub(crate) const fn new(limit: usize, block: usize) -> Self {
        Self {
            limit,
            block,
            ledger: Mutex::new(Ledger {
                charged: 0,
                granted: 0,
                waiting: BTreeMap::new(),
                next_waiter: 0,
                spare: Vec::new(),
            }),
        }
    }

    pub(crate) fn charged(&self) -> usize {
        self.ledger.lock().charged
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// A block, if there is room for one or `waiter` was granted one. Otherwise `waiter` is registered, and `waker` is
    /// called when it is granted a block.
    pub(crate) fn acquire(&'static self, waiter: &mut Option<Waiter>, waker: &Waker) -> Option<Block> {
        let mut ledger = self.ledger.lock();
        match waiter.take() {
            Some(waiting) if ledger.waiting.contains_key(&waiting.number) => {
                *waiter = Some(waiting);
                return None;
            }
            Some(granted) => {
                ledger.granted -= 1;
                // The caller gets its block, so it must not be released.
                std::mem::forget(granted);
            }
            None if ledger.charged + self.block <= self.limit => ledger.charged += self.block,
            None => {
                let number = ledger.next_waiter;
                ledger.next_waiter += 1;
                ledger.waiting.insert(number, waker.clone());
                *waiter = Some(Waiter { budget: self, number });
                return None;
            }
        }
        let memory = ledger.spare.pop();
        self.trim(&mut ledger);
        drop(ledger);
        Some(self.block_in(memory))
    }

    /// A block, even if there is no room for it.
    pub(crate) fn force_block(&'static self) -> Block {
        let mut ledger = self.ledger.lock();
        ledger.charged += self.block;
        let memory = ledger.spare.pop();
        self.trim(&mut ledger);
        drop(ledger);
        self.block_in(memory)
    }

    /// Charges memory that is allocated already, even if there is no room for it.
    pub(crate) fn force_charge(&'static self, bytes: usize) -> Charge {
        let mut ledger = self.ledger.lock();
        ledger.charged += bytes;
        self.trim(&mut ledger);
        drop(ledger);
        Charge { budget: self, bytes }
    }

    /// Charges `bytes` if there is room and no waiter.
    fn try_charge(&self, bytes: usize) -> bool {
        let mut ledger = self.ledger.lock();
        let has_room = ledger.waiting.is_empty() && ledger.charged + bytes <= self.limit;
        if has_room {
            ledger.charged += bytes;
            self.trim(&mut ledger);
        }
        has_room
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

    /// Frees the spare memory that the charges leave no room for.
    fn trim(&self, ledger: &mut Ledger) {
        let allocated = ledger.charged - ledger.granted * self.block;
        let room = self.limit.saturating_sub(allocated) / self.block;
        ledger.spare.truncate(room.min(SPARE));
    }

    /// Releases charged bytes, with the memory of a block if they were one.
    fn release(&self, bytes: usize, memory: Option<Box<[u8]>>) {
        let mut ledger = self.ledger.lock();
        ledger.charged -= bytes;
        let mut granted = Vec::new();
        while ledger.charged + self.block <= self.limit
            && let Some((_number, waker)) = ledger.waiting.pop_first()
        {
            ledger.charged += self.block;
            ledger.granted += 1;
            granted.push(waker);
        }
        ledger.spare.extend(memory);
        self.trim(&mut ledger);
        drop(ledger);
        for waker in granted {
            run_queue::wake_in_any_runtime(waker);
        }
    }

    fn cancel(&self, waiter: u64) {
        let mut ledger = self.ledger.lock();
        let waker = ledger.waiting.remove(&waiter);
        if waker.is_none() {
            ledger.granted -= 1;
        }
        drop(ledger);
        if waker.is_none() {
            self.release(self.block, None);
        }
    }
}

/// A connection's turn in the queue, or the block that it was granted and has not acquired.
#[derive(Debug)]
pub(crate) struct Waiter {
    budget: &'static Budget,
    number: u64,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.budget.cancel(self.number);
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

    /// Moves the charge of `bytes` to the memory that they were copied to. [`Block::recharge`] comes before the next read.
    pub(crate) fn split_charge(&mut self, bytes: usize) -> Charge {
        self.charge.split(bytes)
    }

    /// Charges the whole block again. `None`, and the block is released, if there is no room for that or there are waiters.
    pub(crate) fn recharge(mut self) -> Option<Self> {
        let missing = self.bytes.len() - self.charge.bytes;
        if missing > 0 {
            if !self.charge.budget.try_charge(missing) {
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

    use proptest::prelude::*;

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
        budget.ledger.lock().spare.len()
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
    fn waiters_are_granted_free_blocks_in_order() {
        let (budget, woken) = (budget(2), Woken::default());
        let mut blocks = [acquire(budget), acquire(budget)];
        let mut waiters = [None, None, None];
        for (number, waiter) in waiters.iter_mut().enumerate() {
            assert!(budget.acquire(waiter, &waker(number, &woken)).is_none());
        }
        blocks[0] = None;
        assert_eq!(*woken.lock(), [0]);
        assert!(acquire(budget).is_none(), "a granted block is reserved");
        for number in [1, 2] {
            assert!(budget.acquire(&mut waiters[number], Waker::noop()).is_none());
        }
        let first = budget.acquire(&mut waiters[0], Waker::noop());
        assert!(first.is_some() && waiters[0].is_none());
        blocks[1] = None;
        drop(first);
        assert_eq!(*woken.lock(), [0, 1, 2]);
    }

    #[test]
    fn a_waiter_is_granted_a_block_once_a_whole_one_is_free() {
        let (budget, woken) = (budget(1), Woken::default());
        let mut parts = acquire(budget).unwrap();
        let mut part = parts.split_charge(4);
        drop(parts);
        let mut waiter = None;
        assert!(budget.acquire(&mut waiter, &waker(0, &woken)).is_none());
        drop(part.split(3));
        assert!(woken.lock().is_empty());
        drop(part);
        assert_eq!(*woken.lock(), [0]);
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

    #[test]
    fn forced_charges_exceed_the_limit_and_delay_waiters() {
        let (budget, woken) = (budget(1), Woken::default());
        let (relayed, put_back) = (budget.force_block(), budget.force_charge(25));
        assert_eq!(budget.charged(), 35);
        let mut waiter = None;
        assert!(budget.acquire(&mut waiter, &waker(0, &woken)).is_none());
        drop(relayed);
        assert!(woken.lock().is_empty());
        assert_eq!(spare(budget), 0, "no room for spare memory");
        drop(put_back);
        assert_eq!(*woken.lock(), [0]);
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

    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// Reader `n` acquires a block and keeps so many bytes of it, or the block if it is full.
        Read(usize, usize),
        /// The consumer takes the oldest bytes of reader `n`.
        Take(usize),
        /// Reader `n` is closed, and a new one takes its number.
        Close(usize),
        /// The consumer puts so many bytes back to reader `n`.
        PutBack(usize, usize),
    }

    fn step(readers: usize) -> impl Strategy<Value = Step> {
        let reader = 0..readers;
        prop_oneof![
            4 => (reader.clone(), 0..=BLOCK).prop_map(|(n, bytes)| Step::Read(n, bytes)),
            3 => reader.clone().prop_map(Step::Take),
            1 => reader.clone().prop_map(Step::Close),
            1 => (reader, 1..3 * BLOCK).prop_map(|(n, bytes)| Step::PutBack(n, bytes)),
        ]
    }

    enum Kept {
        Copied(Charge),
        Whole(Block),
    }

    impl Kept {
        fn bytes(&self) -> usize {
            match self {
                Self::Copied(charge) => charge.bytes,
                Self::Whole(block) => block.charge.bytes,
            }
        }
    }

    #[derive(Default)]
    struct Model {
        waiter: Option<Waiter>,
        kept: VecDeque<Kept>,
    }

    proptest! {
        #[test]
        fn charges_are_exact_and_waiters_are_granted_in_order(
            blocks in 1usize..6,
            steps in prop::collection::vec(step(5), 1..200),
        ) {
            let (budget, woken) = (budget(blocks), Woken::default());
            let mut readers: Vec<Model> = (0..5).map(|_| Model::default()).collect();
            // Readers that wait, in order, and readers that were granted a block.
            let (mut queue, mut granted) = (VecDeque::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Read(n, bytes) => {
                        let had_waiter = readers[n].waiter.is_some();
                        let free = budget.limit().saturating_sub(budget.charged());
                        let acquired = budget.acquire(&mut readers[n].waiter, &waker(n, &woken));
                        prop_assert_eq!(acquired.is_some(), granted.contains(&n) || (!had_waiter && free >= BLOCK));
                        if acquired.is_none() && !had_waiter {
                            queue.push_back(n);
                        }
                        if let Some(mut block) = acquired {
                            prop_assert!(had_waiter || queue.is_empty());
                            granted.retain(|other| *other != n);
                            if bytes == BLOCK {
                                readers[n].kept.push_back(Kept::Whole(block));
                            } else if bytes > 0 {
                                let charge = block.split_charge(bytes);
                                readers[n].kept.push_back(Kept::Copied(charge));
                            }
                        }
                    }
                    Step::Take(n) => drop(readers[n].kept.pop_front()),
                    Step::Close(n) => {
                        queue.retain(|other| *other != n);
                        granted.retain(|other| *other != n);
                        readers[n] = Model::default();
                    }
                    Step::PutBack(n, bytes) => {
                        readers[n].kept.push_front(Kept::Copied(budget.force_charge(bytes)));
                    }
                }
                while let Some(n) = woken.lock().pop_front() {
                    prop_assert_eq!(queue.pop_front(), Some(n));
                    granted.push(n);
                }
                let kept: usize = readers.iter().flat_map(|reader| &reader.kept).map(Kept::bytes).sum();
                prop_assert_eq!(budget.charged(), kept + granted.len() * BLOCK);
                prop_assert!(queue.is_empty() || budget.charged() + BLOCK > budget.limit());
                let spare = spare(budget) * BLOCK;
                prop_assert!(spare == 0 || kept + spare <= budget.limit());
            }
            drop(readers);
            let ledger = budget.ledger.lock();
            prop_assert_eq!((ledger.charged, ledger.granted, ledger.waiting.len()), (0, 0, 0));
        }
    }
}
