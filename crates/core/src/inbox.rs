//! What was read from one stream and that the consumer has not taken: bytes in order, then the end.
//!
//! Its size is the stream's credit: when [`CREDIT`] bytes wait, nothing more is read, so a stalled consumer
//! bounds memory and the kernel slows the peer down.

use std::ops::Deref;

use crate::rare_queue::RareQueue;

/// The most that one read asks for and one chunk holds, in bytes; libuv's size.
pub const BLOCK: usize = 64 * 1024;
/// How many bytes of one stream may wait for the consumer.
pub const CREDIT: usize = 4 * BLOCK;

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inboxed<C, E> {
    /// Bytes.
    Data(C),
    /// Nothing will follow.
    End(E),
}

/// Where the end of the stream is.
#[derive(Clone, Copy, Debug)]
enum End<E> {
    NotRead,
    Waiting(E),
    Taken,
}

/// Chunks of type `C`, and an end of type `E`.
#[derive(Debug)]
pub struct Inbox<C, E> {
    chunks: RareQueue<C>,
    waiting: usize,
    end: End<E>,
}

impl<C, E> Default for Inbox<C, E> {
    fn default() -> Self {
        Self {
            chunks: RareQueue::default(),
            waiting: 0,
            end: End::NotRead,
        }
    }
}

impl<C: Deref<Target = [u8]>, E: Copy> Inbox<C, E> {
    /// Takes in a chunk that was read.
    pub fn push(&mut self, chunk: C) {
        self.waiting += chunk.len();
        self.chunks.push_back(chunk);
    }

    /// Has `append` put `bytes` more bytes that were read into the last chunk. Returns whether it did;
    /// without a chunk there is nothing to append to.
    pub fn append(&mut self, bytes: usize, append: impl FnOnce(&mut C) -> bool) -> bool {
        let has_appended = self.chunks.back_mut().is_some_and(append);
        if has_appended {
            self.waiting += bytes;
        }
        has_appended
    }

    /// Takes chunks back that were taken: they come before all others.
    pub fn put_back(&mut self, chunks: impl DoubleEndedIterator<Item = C>) {
        for chunk in chunks.rev() {
            self.waiting += chunk.len();
            self.chunks.push_front(chunk);
        }
    }

    /// The end was read, or comes back after it was taken: it waits behind the bytes.
    pub fn end(&mut self, end: E) {
        self.end = End::Waiting(end);
    }

    /// Bytes that wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether more bytes may wait.
    pub fn has_credit(&self) -> bool {
        self.waiting < CREDIT
    }

    /// Whether more is to be read: there is credit, and the end was not read.
    pub fn has_room(&self) -> bool {
        self.has_credit() && matches!(self.end, End::NotRead)
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty() && !matches!(self.end, End::Waiting(_))
    }

    /// Whether only the end is left, taken or not.
    pub fn is_at_end(&self) -> bool {
        self.chunks.is_empty() && !matches!(self.end, End::NotRead)
    }

    /// Takes bytes, but not the end.
    pub fn take_bytes(&mut self) -> Option<C> {
        let chunk = self.chunks.pop_front()?;
        self.waiting -= chunk.len();
        Some(chunk)
    }

    /// Takes a chunk, or the end when no chunk is left. The end is given once.
    pub fn take(&mut self) -> Option<Inboxed<C, E>> {
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

    /// Drops everything. Nothing is to be read any more.
    pub fn clear(&mut self) {
        *self = Self {
            end: End::Taken,
            ..Self::default()
        };
    }

    /// The chunks, the oldest first.
    pub fn chunks(&self) -> impl Iterator<Item = &C> {
        self.chunks.iter()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Chunks = Inbox<Vec<u8>, &'static str>;

    /// Puts bytes into the last chunk if there are at most `most` then, else into one of their own.
    fn push(inbox: &mut Chunks, bytes: &[u8], most: usize) {
        let fits = inbox.append(bytes.len(), |tail| {
            let fits = tail.len() + bytes.len() <= most;
            if fits {
                tail.extend_from_slice(bytes);
            }
            fits
        });
        if !fits {
            inbox.push(bytes.to_vec());
        }
    }

    proptest! {
        #[test]
        fn bytes_come_out_in_order_however_they_were_read_and_taken(
            reads in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..20), any::<bool>()), 1..40),
            most in 0usize..60,
        ) {
            let mut inbox = Chunks::default();
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            for (bytes, take) in reads {
                push(&mut inbox, &bytes, most);
                expected.extend_from_slice(&bytes);
                if take && let Some(Inboxed::Data(chunk)) = inbox.take() {
                    got.extend_from_slice(&chunk);
                }
                prop_assert_eq!(inbox.waiting(), expected.len() - got.len());
            }
            inbox.end("FIN");
            while let Some(Inboxed::Data(chunk)) = inbox.take() {
                got.extend_from_slice(&chunk);
            }
            prop_assert_eq!(got, expected);
            prop_assert!(inbox.is_at_end() && inbox.is_empty());
        }
    }

    #[test]
    fn the_end_waits_behind_the_bytes_and_is_taken_once() {
        let mut inbox = Chunks::default();
        inbox.push(b"last".to_vec());
        inbox.end("FIN");
        assert!(!inbox.has_room() && !inbox.is_at_end());
        assert_eq!(inbox.take(), Some(Inboxed::Data(b"last".to_vec())));
        assert!(inbox.is_at_end() && !inbox.is_empty());
        assert_eq!(inbox.take_bytes(), None);
        assert_eq!(inbox.take(), Some(Inboxed::End("FIN")));
        assert_eq!(inbox.take(), None);
        assert!(inbox.is_empty() && !inbox.has_room(), "there is nothing after it");
        inbox.end("FIN");
        assert_eq!(inbox.take(), Some(Inboxed::End("FIN")), "it was put back");
    }

    #[test]
    fn what_is_put_back_comes_first_and_in_its_order() {
        let mut inbox = Chunks::default();
        inbox.push(b"later".to_vec());
        inbox.put_back([b"first ".to_vec(), b"second ".to_vec()].into_iter());
        assert_eq!(inbox.waiting(), 18);
        let got: Vec<u8> = std::iter::from_fn(|| inbox.take_bytes()).flatten().collect();
        assert_eq!(got, b"first second later");
        assert_eq!(inbox.waiting(), 0);
    }

    #[test]
    fn credit_is_used_up_by_what_waits_and_comes_back_when_it_is_taken() {
        let mut inbox = Chunks::default();
        while inbox.has_credit() {
            inbox.push(vec![7; BLOCK]);
        }
        assert_eq!(inbox.waiting(), CREDIT);
        inbox.take().unwrap();
        assert!(inbox.has_room());
    }

    #[test]
    fn a_cleared_inbox_has_room_for_nothing() {
        let mut inbox = Chunks::default();
        inbox.push(b"unread".to_vec());
        inbox.end("FIN");
        inbox.clear();
        assert_eq!((inbox.waiting(), inbox.take()), (0, None));
        assert!(!inbox.has_room());
    }
}
