//! A budget of bytes that is handed out in blocks, first come, first served: the arithmetic, without a lock.
//!
//! It counts allocations, not the bytes in them. A request that finds no room registers a waiter. As soon as a whole block is
//! free again, the first waiter is granted it. A waiter that is cancelled, granted or not, passes its turn on.
//!
//! | waiter | on | becomes |
//! | --- | --- | --- |
//! | none | `acquire` without room | waiting |
//! | waiting | a block is free, and it is the first | granted: the block is charged |
//! | granted | `acquire` | none: the caller has the block |
//! | waiting, granted | `cancel` | none: a granted block is released |
//!
//! So less than one block is free while there are waiters, and newcomers cannot overtake them.
//!
//! Released blocks keep their memory for later reads where the limit leaves room, so spare memory is within the limit too.

use std::collections::BTreeMap;

/// How many unused blocks keep their memory.
const SPARE: usize = 32;

/// Names a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What [`Ledger::acquire`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// A block is charged. Its memory, if there was a spare one.
    Block(Option<Box<[u8]>>),
    /// There is no room: the waiter has its place in the queue.
    Waiting(Ticket),
}

/// A budget, with a `W` for each waiter.
#[derive(Debug)]
pub struct Ledger<W> {
    /// In bytes.
    limit: usize,
    /// The size of a block, in bytes.
    block: usize,
    /// Bytes that are charged, granted blocks included.
    charged: usize,
    /// Granted waiters that have not acquired their block: it is charged and has no memory yet.
    granted: usize,
    /// The other waiters, in their order.
    waiting: BTreeMap<Ticket, W>,
    next_ticket: u64,
    /// Memory of unused blocks. Not charged.
    spare: Vec<Box<[u8]>>,
}

impl<W> Ledger<W> {
    /// A budget of `limit` bytes, at least one block, that hands out blocks of `block` bytes.
    pub const fn new(limit: usize, block: usize) -> Self {
        Self {
            limit,
            block,
            charged: 0,
            granted: 0,
            waiting: BTreeMap::new(),
            next_ticket: 0,
            spare: Vec::new(),
        }
    }

    /// Bytes that are charged, granted blocks included.
    pub fn charged(&self) -> usize {
        self.charged
    }

    /// Bytes that may be charged.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Blocks that keep their memory though they are not used.
    pub fn spare(&self) -> usize {
        self.spare.len()
    }

    /// Whether nothing is charged and there is no waiter.
    pub fn is_unused(&self) -> bool {
        self.charged == 0 && self.granted == 0 && self.waiting.is_empty()
    }

    /// Charges a block if there is room for one, or if the waiter of `ticket` was granted one. Otherwise that
    /// waiter stays where it is in the queue, or a new one, `waiter`, goes to its end.
    pub fn acquire(&mut self, ticket: Option<Ticket>, waiter: impl FnOnce() -> W) -> Acquired {
        match ticket {
            Some(ticket) if self.waiting.contains_key(&ticket) => return Acquired::Waiting(ticket),
            Some(_granted) => self.granted -= 1,
            None if self.charged + self.block <= self.limit => self.charged += self.block,
            None => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.waiting.insert(ticket, waiter());
                return Acquired::Waiting(ticket);
            }
        }
        Acquired::Block(self.take_spare())
    }

    /// Charges a block, even if there is no room for it. Returns its memory, if there was a spare one.
    pub fn force_block(&mut self) -> Option<Box<[u8]>> {
        self.charged += self.block;
        self.take_spare()
    }

    fn take_spare(&mut self) -> Option<Box<[u8]>> {
        let memory = self.spare.pop();
        self.trim();
        memory
    }

    /// Charges `bytes`, even if there is no room for them.
    pub fn force_charge(&mut self, bytes: usize) {
        self.charged += bytes;
        self.trim();
    }

    /// Charges `bytes` if there is room and no waiter.
    pub fn try_charge(&mut self, bytes: usize) -> bool {
        let has_room = self.waiting.is_empty() && self.charged + bytes <= self.limit;
        if has_room {
            self.force_charge(bytes);
        }
        has_room
    }

    /// Releases charged bytes, with the memory of a block if they were one. Returns the waiters that are
    /// granted a block for it, in their order.
    pub fn release(&mut self, bytes: usize, memory: Option<Box<[u8]>>) -> Vec<W> {
        self.charged -= bytes;
        let mut granted = Vec::new();
        while self.charged + self.block <= self.limit
            && let Some((_ticket, waiter)) = self.waiting.pop_first()
        {
            self.charged += self.block;
            self.granted += 1;
            granted.push(waiter);
        }
        self.spare.extend(memory);
        self.trim();
        granted
    }

    /// Ends a waiter that has not acquired its block. Returns the one that is granted a block for it, if
    /// there is one.
    pub fn cancel(&mut self, ticket: Ticket) -> Vec<W> {
        if self.waiting.remove(&ticket).is_some() {
            return Vec::new();
        }
        self.granted -= 1;
        self.release(self.block, None)
    }

    /// Frees the spare memory that the charges leave no room for.
    fn trim(&mut self) {
        let allocated = self.charged - self.granted * self.block;
        let room = self.limit.saturating_sub(allocated) / self.block;
        self.spare.truncate(room.min(SPARE));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    const BLOCK: usize = 10;

    fn ledger(blocks: usize) -> Ledger<usize> {
        Ledger::new(blocks * BLOCK, BLOCK)
    }

    /// A block for a reader that does not wait.
    fn block(ledger: &mut Ledger<usize>) -> Option<Box<[u8]>> {
        match ledger.acquire(None, || usize::MAX) {
            Acquired::Block(memory) => Some(memory.unwrap_or_else(|| vec![0; BLOCK].into())),
            Acquired::Waiting(ticket) => {
                assert!(ledger.cancel(ticket).is_empty());
                None
            }
        }
    }

    fn wait(ledger: &mut Ledger<usize>, number: usize) -> Ticket {
        match ledger.acquire(None, || number) {
            Acquired::Waiting(ticket) => ticket,
            Acquired::Block(_) => panic!("there was room"),
        }
    }

    #[test]
    fn waiters_are_granted_free_blocks_in_order() {
        let mut ledger = ledger(2);
        assert!(block(&mut ledger).is_some() && block(&mut ledger).is_some());
        let tickets = [0, 1, 2].map(|number| wait(&mut ledger, number));
        assert_eq!(ledger.release(BLOCK, None), [0]);
        assert!(block(&mut ledger).is_none(), "a granted block is reserved");
        for ticket in [tickets[1], tickets[2]] {
            let acquired = ledger.acquire(Some(ticket), || usize::MAX);
            assert_eq!(acquired, Acquired::Waiting(ticket));
        }
        let acquired = ledger.acquire(Some(tickets[0]), || usize::MAX);
        assert_eq!(acquired, Acquired::Block(None));
        assert_eq!(ledger.release(2 * BLOCK, None), [1, 2]);
    }

    #[test]
    fn a_waiter_is_granted_a_block_once_a_whole_one_is_free() {
        let mut ledger = ledger(1);
        ledger.force_charge(4);
        let _ticket = wait(&mut ledger, 0);
        assert!(ledger.release(3, None).is_empty());
        assert_eq!(ledger.release(1, None), [0]);
    }

    #[test]
    fn a_cancelled_waiter_passes_its_turn_on() {
        let mut ledger = ledger(1);
        let memory = block(&mut ledger);
        let tickets = [0, 1, 2].map(|number| wait(&mut ledger, number));
        assert!(ledger.cancel(tickets[1]).is_empty());
        assert_eq!(ledger.release(BLOCK, memory), [0]);
        assert_eq!(ledger.cancel(tickets[0]), [2]);
        assert!(ledger.cancel(tickets[2]).is_empty());
        assert!(ledger.is_unused());
        assert!(block(&mut ledger).is_some());
    }

    #[test]
    fn charges_do_not_overtake_waiters() {
        let mut ledger = ledger(2);
        ledger.force_charge(18);
        let _ticket = wait(&mut ledger, 0);
        assert!(!ledger.try_charge(2), "though two more bytes would fit");
        assert_eq!(ledger.release(8, None), [0]);
    }

    #[test]
    fn forced_charges_exceed_the_limit_and_delay_waiters() {
        let mut ledger = ledger(1);
        assert_eq!(ledger.force_block(), None);
        ledger.force_charge(25);
        assert_eq!(ledger.charged(), 35);
        let _ticket = wait(&mut ledger, 0);
        assert!(ledger.release(BLOCK, Some(vec![0; BLOCK].into())).is_empty());
        assert_eq!(ledger.spare(), 0, "no room for spare memory");
        assert_eq!(ledger.release(25, None), [0]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// Reader `n` acquires a block and keeps so many bytes of it.
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

    #[derive(Default)]
    struct Reader {
        ticket: Option<Ticket>,
        /// Bytes of each read; a whole block keeps its memory.
        kept: VecDeque<usize>,
    }

    /// Releases what was kept of one read.
    fn release(ledger: &mut Ledger<usize>, bytes: usize) -> Vec<usize> {
        let memory = (bytes == BLOCK).then(|| vec![0; BLOCK].into());
        ledger.release(bytes, memory)
    }

    /// Miri is too slow for more.
    const STEPS: usize = if cfg!(miri) { 30 } else { 200 };

    proptest! {
        #[test]
        fn charges_are_exact_and_waiters_are_granted_in_order(
            blocks in 1usize..6,
            steps in prop::collection::vec(step(5), 1..STEPS),
        ) {
            let mut ledger = ledger(blocks);
            let mut readers: Vec<Reader> = (0..5).map(|_| Reader::default()).collect();
            // Readers that wait, in order, and readers that were granted a block.
            let (mut queue, mut granted) = (VecDeque::new(), Vec::new());
            for step in steps {
                let mut woken = Vec::new();
                match step {
                    Step::Read(n, bytes) => {
                        let had_ticket = readers[n].ticket.is_some();
                        let free = ledger.limit().saturating_sub(ledger.charged());
                        match ledger.acquire(readers[n].ticket, || n) {
                            Acquired::Block(memory) => {
                                prop_assert!(granted.contains(&n) || (!had_ticket && free >= BLOCK && queue.is_empty()));
                                granted.retain(|other| *other != n);
                                readers[n].ticket = None;
                                if bytes == BLOCK {
                                    readers[n].kept.push_back(bytes);
                                } else {
                                    woken = ledger.release(BLOCK - bytes, memory);
                                    if bytes > 0 {
                                        readers[n].kept.push_back(bytes);
                                    }
                                }
                            }
                            Acquired::Waiting(ticket) => {
                                prop_assert!(!granted.contains(&n) && (had_ticket || free < BLOCK));
                                if readers[n].ticket.replace(ticket).is_none() {
                                    queue.push_back(n);
                                }
                            }
                        }
                    }
                    Step::Take(n) => {
                        if let Some(bytes) = readers[n].kept.pop_front() {
                            woken = release(&mut ledger, bytes);
                        }
                    }
                    Step::Close(n) => {
                        queue.retain(|other| *other != n);
                        granted.retain(|other| *other != n);
                        let Reader { ticket, kept } = std::mem::take(&mut readers[n]);
                        woken.extend(ticket.into_iter().flat_map(|ticket| ledger.cancel(ticket)));
                        for bytes in kept {
                            woken.extend(release(&mut ledger, bytes));
                        }
                    }
                    Step::PutBack(n, bytes) => {
                        ledger.force_charge(bytes);
                        readers[n].kept.push_front(bytes);
                    }
                }
                for n in woken {
                    prop_assert_eq!(queue.pop_front(), Some(n));
                    granted.push(n);
                }
                let kept: usize = readers.iter().flat_map(|reader| &reader.kept).sum();
                prop_assert_eq!(ledger.charged(), kept + granted.len() * BLOCK);
                prop_assert!(queue.is_empty() || ledger.charged() + BLOCK > ledger.limit());
                prop_assert!(ledger.spare() == 0 || kept + ledger.spare() * BLOCK <= ledger.limit());
            }
            for Reader { ticket, kept } in readers {
                if let Some(ticket) = ticket {
                    ledger.cancel(ticket);
                }
                for bytes in kept {
                    release(&mut ledger, bytes);
                }
            }
            prop_assert!(ledger.is_unused());
        }
    }
}
