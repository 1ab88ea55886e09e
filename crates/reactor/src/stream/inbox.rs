//! Bytes that were read and that JavaScript has not taken: in order, then the end.
//!
//! Its size is the connection's credit: when [`CREDIT`] bytes wait, nothing more is read, so a stalled consumer bounds
//! memory and the kernel slows the peer down. [`READ_AHEAD`] limits the memory of all inboxes of the process.
//!
//! What arrives while older bytes wait is put behind them in the same chunk, up to [`BLOCK`], as the kernel would have
//! kept it together for a later read. A chunk allocates at most twice its length.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::task::Waker;

use parking_lot::{Mutex, MutexGuard};

use crate::Errno;
use crate::drive::budget::{Block, Budget, Charge, Waiter};
use crate::sys::Conduit;

/// The most that one read asks for and one chunk holds; libuv's size.
pub(crate) const BLOCK: usize = 64 * 1024;
/// How many bytes of one connection may wait for JavaScript.
pub(crate) const CREDIT: usize = 4 * BLOCK;
/// Up to here a read is copied out of its block: a block that is kept is at least half full.
const COPIED: usize = BLOCK / 2;

/// The limit for all inboxes of the process, 16 MiB: the credit of 64 connections, or what 10 Gbit/s deliver in 13 ms.
/// While it is reached, further bytes wait in the kernel's buffers.
pub(crate) static READ_AHEAD: Budget = Budget::new(64 * CREDIT, BLOCK);

/// Memory for bytes that were received and that no consumer has taken, of all reactors of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadAhead {
    /// Bytes in use.
    pub charged: usize,
    /// Bytes that reads may use. Bytes that are put back when a connection is transferred, and one block of 64 KiB for
    /// each runtime with relays, may come on top.
    pub limit: usize,
}

/// How much memory the process uses for bytes that were read ahead of their consumers.
pub fn read_ahead() -> ReadAhead {
    ReadAhead {
        charged: READ_AHEAD.charged(),
        limit: READ_AHEAD.limit(),
    }
}

/// Where one runtime's tasks have read buffers from, and what its relays use instead of them.
#[derive(Debug)]
pub(crate) struct BlockPool {
    budget: &'static Budget,
    conduit: Mutex<Conduit>,
}

impl Default for BlockPool {
    fn default() -> Self {
        Self {
            budget: &READ_AHEAD,
            conduit: Mutex::default(),
        }
    }
}

impl BlockPool {
    pub(crate) fn conduit(&self) -> MutexGuard<'_, Conduit> {
        self.conduit.lock()
    }

    /// A block for bytes that do not stay in it, which is there even when the budget is used up.
    pub(crate) fn take(&self) -> Block {
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

#[derive(Debug)]
enum Storage {
    Copied { bytes: Vec<u8>, charge: Charge },
    Block { block: Block, filled: usize },
}

/// Bytes of one connection, at most 64 KiB, in the order in which they came.
pub struct Chunk(Storage);

impl Chunk {
    /// A copy of the first `read` bytes of `block`.
    fn copied_from(block: &mut Block, read: usize) -> Self {
        let bytes = block.first(read).to_vec();
        let charge = block.split_charge(bytes.capacity());
        Self(Storage::Copied { bytes, charge })
    }

    /// Puts the first `read` bytes of `from` behind what is there, if they fit.
    fn append(&mut self, from: &mut Block, read: usize) -> bool {
        let fits = self.len() + read <= BLOCK;
        if fits {
            match &mut self.0 {
                Storage::Copied { bytes, charge } => {
                    charge.absorb(from.split_charge(grow(bytes, read)));
                    bytes.extend_from_slice(from.first(read));
                }
                Storage::Block { block, filled } => {
                    block.space()[*filled..][..read].copy_from_slice(from.first(read));
                    *filled += read;
                }
            }
        }
        fits
    }
}

/// Makes room for `more` bytes, at most [`BLOCK`] in all. Answers how many bytes were allocated for it.
fn grow(bytes: &mut Vec<u8>, more: usize) -> usize {
    let (length, before) = (bytes.len(), bytes.capacity());
    if length + more > before {
        let capacity = (2 * before).clamp(length + more, BLOCK);
        bytes.reserve_exact(capacity - length);
    }
    bytes.capacity() - before
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Storage::Copied { bytes, .. } => bytes,
            Storage::Block { block, filled } => block.first(*filled),
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} bytes)", self.len())
    }
}

/// What comes out.
#[derive(Debug)]
pub(crate) enum Inboxed {
    /// Bytes.
    Data(Chunk),
    /// Nothing will follow: [`Errno::EOF`] for the peer's FIN, else the error of the read.
    End(Errno),
}

/// Where the end of the stream is.
#[derive(Debug, Default)]
enum End {
    #[default]
    NotRead,
    Waiting(Errno),
    Taken,
}

#[derive(Debug)]
pub(crate) struct Inbox {
    budget: &'static Budget,
    chunks: VecDeque<Chunk>,
    waiting: usize,
    end: End,
}

impl Default for Inbox {
    fn default() -> Self {
        Self::within(&READ_AHEAD)
    }
}

impl Inbox {
    fn within(budget: &'static Budget) -> Self {
        Self {
            budget,
            chunks: VecDeque::new(),
            waiting: 0,
            end: End::NotRead,
        }
    }

    /// Takes in what was read into `block`; gives the block back when the bytes were few enough to copy.
    pub(crate) fn push(&mut self, mut block: Block, read: usize) -> Option<Block> {
        self.waiting += read;
        if read > COPIED {
            let storage = Storage::Block { block, filled: read };
            self.chunks.push_back(Chunk(storage));
            return None;
        }
        let tail = self.chunks.back_mut();
        if !tail.is_some_and(|tail| tail.append(&mut block, read)) {
            self.chunks.push_back(Chunk::copied_from(&mut block, read));
        }
        Some(block)
    }

    /// Takes bytes back that were taken: they come before all others.
    pub(crate) fn put_back(&mut self, chunks: &[&[u8]]) {
        for piece in chunks.iter().flat_map(|chunk| chunk.chunks(BLOCK)).rev() {
            self.waiting += piece.len();
            let bytes = piece.to_vec();
            let charge = self.budget.force_charge(bytes.capacity());
            self.chunks.push_front(Chunk(Storage::Copied { bytes, charge }));
        }
    }

    /// Takes the end back, which was taken.
    pub(crate) fn end_again(&mut self, end: Errno) {
        self.end = End::Waiting(end);
    }

    /// Bytes that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// The end was read; it waits behind the bytes.
    pub(crate) fn end(&mut self, end: Errno) {
        self.end = End::Waiting(end);
    }

    pub(crate) fn has_credit(&self) -> bool {
        self.waiting < CREDIT
    }

    /// Whether more is to be read: there is credit, and the end was not read.
    pub(crate) fn has_room(&self) -> bool {
        self.has_credit() && matches!(self.end, End::NotRead)
    }

    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && !matches!(self.end, End::Waiting(_))
    }

    /// Whether only the end is left, taken or not.
    pub(crate) fn is_at_end(&self) -> bool {
        self.chunks.is_empty() && !matches!(self.end, End::NotRead)
    }

    /// Takes bytes, but not the end.
    pub(crate) fn take_bytes(&mut self) -> Option<Chunk> {
        let chunk = self.chunks.pop_front()?;
        self.waiting -= chunk.len();
        Some(chunk)
    }

    pub(crate) fn take(&mut self) -> Option<Inboxed> {
        if let Some(chunk) = self.take_bytes() {
            return Some(Inboxed::Data(chunk));
        }
        match self.end {
            End::Waiting(end) => {
                self.end = End::Taken;
                Some(Inboxed::End(end))
            }
            End::NotRead | End::Taken => None,
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self {
            end: End::Taken,
            ..Self::within(self.budget)
        };
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget() -> &'static Budget {
        Box::leak(Box::new(Budget::new(16 * BLOCK, BLOCK)))
    }

    fn push(inbox: &mut Inbox, bytes: &[u8]) {
        let mut block = inbox.budget.acquire(&mut None, Waker::noop()).unwrap();
        block.space()[..bytes.len()].copy_from_slice(bytes);
        inbox.push(block, bytes.len());
    }

    /// What all chunks have allocated.
    fn allocated(inbox: &Inbox) -> usize {
        let sizes = inbox.chunks.iter().map(|chunk| match &chunk.0 {
            Storage::Copied { bytes, .. } => bytes.capacity(),
            Storage::Block { .. } => BLOCK,
        });
        sizes.sum()
    }

    proptest! {
        #[test]
        fn bytes_come_out_in_order_however_they_were_read_and_taken(
            reads in prop::collection::vec((prop_oneof![1usize..200, 1..=BLOCK], any::<bool>()), 1..24),
        ) {
            let budget = budget();
            let mut inbox = Inbox::within(budget);
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            for (n, (len, take)) in reads.into_iter().enumerate() {
                if !inbox.has_credit() {
                    break;
                }
                let bytes: Vec<u8> = (0..len).map(|i| u8::try_from((i + n) % 251).unwrap()).collect();
                push(&mut inbox, &bytes);
                expected.extend_from_slice(&bytes);
                if take && let Some(Inboxed::Data(chunk)) = inbox.take() {
                    prop_assert!(chunk.len() <= BLOCK);
                    got.extend_from_slice(&chunk);
                }
                prop_assert_eq!(budget.charged(), allocated(&inbox));
                prop_assert!(allocated(&inbox) <= 2 * inbox.waiting());
            }
            inbox.end(Errno::EOF);
            loop {
                match inbox.take().unwrap() {
                    Inboxed::Data(chunk) => got.extend_from_slice(&chunk),
                    Inboxed::End(end) => {
                        prop_assert_eq!(end, Errno::EOF);
                        break;
                    }
                }
            }
            prop_assert!(inbox.is_empty() && inbox.has_credit());
            prop_assert_eq!(got, expected);
            prop_assert_eq!(budget.charged(), 0);
        }
    }

    #[test]
    fn what_is_put_back_comes_first_and_in_its_order() {
        let mut inbox = Inbox::within(budget());
        push(&mut inbox, b"later");
        let large = vec![7; BLOCK + 1];
        inbox.put_back(&[b"first ", b"second ", &large]);
        assert_eq!(inbox.waiting(), 13 + large.len() + 5);
        assert_eq!(inbox.budget.charged(), allocated(&inbox));
        let mut got = Vec::new();
        while let Some(Inboxed::Data(chunk)) = inbox.take() {
            assert!(chunk.len() <= BLOCK);
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got, [b"first second ", &large[..], b"later"].concat());
        assert_eq!((inbox.waiting(), inbox.budget.charged()), (0, 0));
    }

    #[test]
    fn small_reads_that_wait_are_taken_together() {
        let mut inbox = Inbox::within(budget());
        push(&mut inbox, b"one ");
        push(&mut inbox, b"two");
        let Some(Inboxed::Data(chunk)) = inbox.take() else {
            panic!("no data")
        };
        assert_eq!(&*chunk, b"one two");
        assert!(inbox.take().is_none());
    }

    #[test]
    fn reads_of_less_than_half_a_block_are_copied_out_of_it() {
        let mut inbox = Inbox::within(budget());
        for _ in 0..28 {
            push(&mut inbox, &[7; 9_000]);
        }
        assert!(inbox.waiting() == 252_000 && allocated(&inbox) <= 256 * 1024);
    }

    #[test]
    fn credit_is_used_up_by_what_waits_and_comes_back_when_it_is_taken() {
        let mut inbox = Inbox::within(budget());
        while inbox.has_credit() {
            push(&mut inbox, &vec![7; BLOCK]);
        }
        assert_eq!(inbox.waiting, CREDIT);
        inbox.take();
        assert!(inbox.has_credit());
    }

    #[test]
    fn unread_bytes_are_released() {
        let mut inbox = Inbox::within(budget());
        push(&mut inbox, &vec![7; BLOCK]);
        push(&mut inbox, b"few");
        assert_eq!(inbox.budget.charged(), BLOCK + 3);
        inbox.clear();
        assert_eq!(inbox.budget.charged(), 0);
        push(&mut inbox, &vec![7; BLOCK]);
        let budget = inbox.budget;
        drop(inbox);
        assert_eq!(budget.charged(), 0);
    }
}
