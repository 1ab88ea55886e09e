//! Bytes that were read and that JavaScript has not taken: in order, then the end.
//!
//! Its size is the connection's credit: when [`CREDIT`] bytes wait, nothing more is read, so a stalled consumer bounds
//! memory and the kernel slows the peer down. What arrives while older bytes wait is put behind them in the same
//! chunk, up to [`BLOCK`], as the kernel would have kept it together for a later read.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::Errno;
use crate::sys::Conduit;

/// The most that one read asks for and one chunk holds; libuv's size.
pub(crate) const BLOCK: usize = 64 * 1024;
/// How many bytes of one connection may wait for JavaScript.
pub(crate) const CREDIT: usize = 4 * BLOCK;
/// Up to here a read is copied, so that few bytes don't hold a whole block.
const SMALL: usize = 8 * 1024;
/// Blocks that the pool keeps for later.
const POOLED: usize = 32;

/// Read buffers of one runtime, used again, and what its relays use instead of them.
#[derive(Debug, Default)]
pub(crate) struct BlockPool {
    free: Mutex<Vec<Box<[u8]>>>,
    conduit: Mutex<Conduit>,
}

impl BlockPool {
    pub(crate) fn conduit(&self) -> MutexGuard<'_, Conduit> {
        self.conduit.lock()
    }

    pub(crate) fn take(self: &Arc<Self>) -> Block {
        let bytes = self
            .free
            .lock()
            .pop()
            .unwrap_or_else(|| vec![0; BLOCK].into_boxed_slice());
        Block {
            bytes,
            filled: 0,
            pool: Arc::clone(self),
        }
    }
}

/// One buffer of the pool, with what was read into it.
pub(crate) struct Block {
    bytes: Box<[u8]>,
    filled: usize,
    pool: Arc<BlockPool>,
}

impl Block {
    /// Where to read to.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// The first `read` bytes of what was read into it.
    pub(crate) fn first(&self, read: usize) -> &[u8] {
        &self.bytes[..read]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock();
        if free.len() < POOLED {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

enum Storage {
    Copied(Vec<u8>),
    Block(Block),
}

/// Bytes of one connection, at most 64 KiB, in the order in which they came.
pub struct Chunk(Storage);

impl Chunk {
    /// Puts `bytes` behind what is there, if they fit.
    fn append(&mut self, bytes: &[u8]) -> bool {
        match &mut self.0 {
            Storage::Copied(copied) if copied.len() + bytes.len() <= BLOCK => {
                copied.extend_from_slice(bytes);
                true
            }
            Storage::Block(block) if block.filled + bytes.len() <= block.bytes.len() => {
                block.space()[..bytes.len()].copy_from_slice(bytes);
                block.filled += bytes.len();
                true
            }
            _ => false,
        }
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Storage::Copied(bytes) => bytes,
            Storage::Block(block) => &block.bytes[..block.filled],
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

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    chunks: VecDeque<Chunk>,
    waiting: usize,
    end: End,
}

impl Inbox {
    /// Takes in what was read into `block`; gives the block back when the bytes were few enough to copy.
    pub(crate) fn push(&mut self, mut block: Block, read: usize) -> Option<Block> {
        self.waiting += read;
        if read <= SMALL {
            let bytes = &block.bytes[..read];
            if !self.chunks.back_mut().is_some_and(|tail| tail.append(bytes)) {
                self.chunks.push_back(Chunk(Storage::Copied(bytes.to_vec())));
            }
            return Some(block);
        }
        block.filled = read;
        self.chunks.push_back(Chunk(Storage::Block(block)));
        None
    }

    /// Takes bytes back that were taken: they come before all others.
    pub(crate) fn put_back(&mut self, chunks: &[&[u8]]) {
        for piece in chunks.iter().flat_map(|chunk| chunk.chunks(BLOCK)).rev() {
            self.waiting += piece.len();
            self.chunks.push_front(Chunk(Storage::Copied(piece.to_vec())));
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
            ..Self::default()
        };
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn push(inbox: &mut Inbox, pool: &Arc<BlockPool>, bytes: &[u8]) {
        let mut block = pool.take();
        block.space()[..bytes.len()].copy_from_slice(bytes);
        inbox.push(block, bytes.len());
    }

    proptest! {
        #[test]
        fn bytes_come_out_in_order_however_they_were_read_and_taken(
            reads in prop::collection::vec((1usize..2 * SMALL, any::<bool>()), 1..24),
        ) {
            let (pool, mut inbox) = (Arc::new(BlockPool::default()), Inbox::default());
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            for (n, (len, take)) in reads.into_iter().enumerate() {
                let bytes: Vec<u8> = (0..len).map(|i| u8::try_from((i + n) % 251).unwrap()).collect();
                push(&mut inbox, &pool, &bytes);
                expected.extend_from_slice(&bytes);
                if take && let Some(Inboxed::Data(chunk)) = inbox.take() {
                    prop_assert!(chunk.len() <= BLOCK);
                    got.extend_from_slice(&chunk);
                }
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
        }
    }

    #[test]
    fn what_is_put_back_comes_first_and_in_its_order() {
        let (pool, mut inbox) = (Arc::new(BlockPool::default()), Inbox::default());
        push(&mut inbox, &pool, b"later");
        let large = vec![7; BLOCK + 1];
        inbox.put_back(&[b"first ", b"second ", &large]);
        assert_eq!(inbox.waiting(), 13 + large.len() + 5);
        let mut got = Vec::new();
        while let Some(Inboxed::Data(chunk)) = inbox.take() {
            assert!(chunk.len() <= BLOCK);
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got, [b"first second ", &large[..], b"later"].concat());
        assert_eq!(inbox.waiting(), 0);
    }

    #[test]
    fn small_reads_that_wait_are_taken_together() {
        let (pool, mut inbox) = (Arc::new(BlockPool::default()), Inbox::default());
        push(&mut inbox, &pool, b"one ");
        push(&mut inbox, &pool, b"two");
        let Some(Inboxed::Data(chunk)) = inbox.take() else {
            panic!("no data")
        };
        assert_eq!(&*chunk, b"one two");
        assert!(inbox.take().is_none());
    }

    #[test]
    fn credit_is_used_up_by_what_waits_and_comes_back_when_it_is_taken() {
        let (pool, mut inbox) = (Arc::new(BlockPool::default()), Inbox::default());
        while inbox.has_credit() {
            push(&mut inbox, &pool, &vec![7; BLOCK]);
        }
        assert_eq!(inbox.waiting, CREDIT);
        inbox.take();
        assert!(inbox.has_credit());
    }

    #[test]
    fn a_taken_block_goes_back_to_the_pool() {
        let (pool, mut inbox) = (Arc::new(BlockPool::default()), Inbox::default());
        push(&mut inbox, &pool, &vec![7; BLOCK]);
        assert_eq!(pool.free.lock().len(), 0);
        drop(inbox.take());
        assert_eq!(pool.free.lock().len(), 1);
    }
}
