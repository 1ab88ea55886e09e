//! Bytes of one connection in memory that the budget is charged for.
//!
//! What arrives while older bytes wait is appended to the same chunk, up to [`BLOCK`], as one later read
//! would have got it from the kernel. A chunk allocates at most twice its length.

use std::fmt;
use std::ops::Deref;

use ferronet_core::inbox::{self, BLOCK};

use crate::drive::budget::{Block, Budget, Charge, READ_AHEAD};
use crate::socket::errno::Errno;

/// The longest read that is copied out of its block: a block that stays in the inbox is more than half full.
const COPIED: usize = BLOCK / 2;

/// What was read from a connection: chunks, then [`Errno::EOF`] for the peer's FIN, or the error of the read.
pub(super) type Inbox = inbox::Inbox<Chunk, Errno>;

/// Puts what was read into `block` into `inbox`; gives the block back when the bytes were few enough to copy.
pub(super) fn push_read(inbox: &mut Inbox, mut block: Block, read: usize) -> Option<Block> {
    if read > COPIED {
        inbox.push(Chunk(Storage::Block { block, filled: read }));
        return None;
    }
    if !inbox.append(read, |tail| tail.append(&mut block, read)) {
        inbox.push(Chunk::copied_from(&mut block, read));
    }
    Some(block)
}

/// Puts bytes back that were taken out of `inbox`: they come before all others.
pub(super) fn put_back(inbox: &mut Inbox, chunks: &[&[u8]]) {
    put_back_within(&READ_AHEAD, inbox, chunks);
}

fn put_back_within(budget: &'static Budget, inbox: &mut Inbox, chunks: &[&[u8]]) {
    let pieces: Vec<_> = chunks.iter().flat_map(|chunk| chunk.chunks(BLOCK)).collect();
    inbox.put_back(pieces.into_iter().map(|piece| Chunk::copy_of(budget, piece)));
}

#[derive(Debug)]
enum Storage {
    Copied { bytes: Vec<u8>, charge: Charge },
    Block { block: Block, filled: usize },
}

/// Bytes of one connection, at most 64 KiB, in the order in which they came.
pub struct Chunk(Storage);

impl Chunk {
    /// A copy that is charged whether or not there is room for it.
    fn copy_of(budget: &'static Budget, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        let charge = budget.force_charge(bytes.capacity());
        Self(Storage::Copied { bytes, charge })
    }

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

/// Makes room for `more` bytes, at most [`BLOCK`] in all. Returns how many bytes were allocated for it.
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::task::Waker;

    use ferronet_core::inbox::Inboxed;
    use proptest::prelude::*;

    use super::*;

    fn budget() -> &'static Budget {
        Box::leak(Box::new(Budget::new(16 * BLOCK, BLOCK)))
    }

    fn push(budget: &'static Budget, inbox: &mut Inbox, bytes: &[u8]) {
        let mut block = budget.acquire(&mut None, Waker::noop()).unwrap();
        block.space()[..bytes.len()].copy_from_slice(bytes);
        push_read(inbox, block, bytes.len());
    }

    /// What all chunks have allocated.
    fn allocated(inbox: &Inbox) -> usize {
        let sizes = inbox.chunks().map(|chunk| match &chunk.0 {
            Storage::Copied { bytes, .. } => bytes.capacity(),
            Storage::Block { .. } => BLOCK,
        });
        sizes.sum()
    }

    proptest! {
        #[test]
        fn chunks_are_charged_for_what_they_allocate_which_is_at_most_twice_their_length(
            reads in prop::collection::vec((prop_oneof![1usize..200, 1..=BLOCK], any::<bool>()), 1..24),
        ) {
            let budget = budget();
            let mut inbox = Inbox::default();
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            for (n, (len, take)) in reads.into_iter().enumerate() {
                if !inbox.has_credit() {
                    break;
                }
                let bytes: Vec<u8> = (0..len).map(|i| u8::try_from((i + n) % 251).unwrap()).collect();
                push(budget, &mut inbox, &bytes);
                expected.extend_from_slice(&bytes);
                if take && let Some(chunk) = inbox.take_bytes() {
                    prop_assert!(chunk.len() <= BLOCK);
                    got.extend_from_slice(&chunk);
                }
                prop_assert_eq!(budget.charged(), allocated(&inbox));
                prop_assert!(allocated(&inbox) <= 2 * inbox.waiting());
            }
            while let Some(chunk) = inbox.take_bytes() {
                got.extend_from_slice(&chunk);
            }
            prop_assert_eq!(got, expected);
            prop_assert_eq!(budget.charged(), 0);
        }
    }

    #[test]
    fn what_is_put_back_is_charged_and_comes_in_chunks_of_at_most_a_block() {
        let (budget, mut inbox) = (budget(), Inbox::default());
        push(budget, &mut inbox, b"later");
        let large = vec![7; BLOCK + 1];
        put_back_within(budget, &mut inbox, &[b"first ", b"second ", &large]);
        assert_eq!(inbox.waiting(), 13 + large.len() + 5);
        assert_eq!(budget.charged(), allocated(&inbox));
        let mut got = Vec::new();
        while let Some(Inboxed::Data(chunk)) = inbox.take() {
            assert!(chunk.len() <= BLOCK);
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got, [b"first second ", &large[..], b"later"].concat());
        assert_eq!((inbox.waiting(), budget.charged()), (0, 0));
    }

    #[test]
    fn small_reads_that_wait_are_taken_together() {
        let (budget, mut inbox) = (budget(), Inbox::default());
        push(budget, &mut inbox, b"one ");
        push(budget, &mut inbox, b"two");
        assert_eq!(&*inbox.take_bytes().unwrap(), b"one two");
        assert!(inbox.take_bytes().is_none());
    }

    #[test]
    fn reads_of_less_than_half_a_block_are_copied_out_of_it() {
        let (budget, mut inbox) = (budget(), Inbox::default());
        for _ in 0..28 {
            push(budget, &mut inbox, &[7; 9_000]);
        }
        assert!(inbox.waiting() == 252_000 && allocated(&inbox) <= 256 * 1024);
    }

    #[test]
    fn unread_bytes_are_released() {
        let (budget, mut inbox) = (budget(), Inbox::default());
        push(budget, &mut inbox, &vec![7; BLOCK]);
        push(budget, &mut inbox, b"few");
        assert_eq!(budget.charged(), BLOCK + 3);
        inbox.clear();
        assert_eq!(budget.charged(), 0);
        push(budget, &mut inbox, &vec![7; BLOCK]);
        drop(inbox);
        assert_eq!(budget.charged(), 0);
    }
}
