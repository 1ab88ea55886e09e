//! What the kernel has not taken yet: requests in order, each done when its last byte is gone.

use std::collections::VecDeque;
use std::io::IoSlice;

/// The most slices that one vectored write is given; more bring nothing and the kernel refuses more than 1024.
const MAX_SLICES: usize = 64;

/// How many bytes may wait with nobody waiting for them. A write that is larger gains nothing by waiting.
const AHEAD: usize = 16 * 1024;
/// How much of a write that the kernel does not take is copied when its writer keeps the rest. On loopback it is sent in
/// about the time that it takes to ask for the next.
pub const WINDOW: usize = 256 * 1024;
/// How much room for them an idle connection keeps.
const KEPT: usize = 256;

#[derive(Debug)]
struct Request {
    bytes: Box<[u8]>,
    sent: usize,
    /// Somebody hears when it is done.
    told: bool,
}

impl Request {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }
}

/// The queue of one connection. An empty request (a write of no bytes) is a request: it is done in its turn.
#[derive(Debug, Default)]
pub struct WriteQueue {
    /// Bytes that nobody waits for: told as sent when they were taken in. Before all requests.
    ahead: Vec<u8>,
    /// How many of them the kernel has taken.
    ahead_sent: usize,
    requests: VecDeque<Request>,
    waiting: usize,
}

impl WriteQueue {
    /// Queues what `chunks` hold after their first `sent` bytes, `most` bytes of it, as one request. Answers how many bytes
    /// that is.
    pub fn push(&mut self, chunks: &[IoSlice<'_>], sent: usize, most: usize) -> usize {
        let mut skip = sent;
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let len = total.saturating_sub(sent).min(most);
        let mut bytes = Vec::with_capacity(len);
        for chunk in chunks {
            let skipped = skip.min(chunk.len());
            skip -= skipped;
            let rest = &chunk[skipped..];
            bytes.extend_from_slice(&rest[..rest.len().min(len - bytes.len())]);
        }
        self.waiting += len;
        self.requests.push_back(Request {
            bytes: bytes.into_boxed_slice(),
            sent: 0,
            told: true,
        });
        len
    }

    /// Queues bytes of a relay, whose end nobody waits for.
    pub fn push_untold(&mut self, bytes: &[u8]) {
        self.waiting += bytes.len();
        self.requests.push_back(Request {
            bytes: bytes.into(),
            sent: 0,
            told: false,
        });
    }

    /// Nobody hears of what waits any more; it is sent all the same.
    pub fn untell(&mut self) {
        for request in &mut self.requests {
            request.told = false;
        }
    }

    /// Whether `len` more bytes may be taken in with nobody waiting for them.
    pub fn has_room_ahead(&self, len: usize) -> bool {
        self.requests.is_empty() && self.ahead.len() + len <= AHEAD
    }

    /// Takes in bytes that nobody will wait for.
    pub fn push_ahead(&mut self, chunks: &[IoSlice<'_>]) {
        for chunk in chunks {
            self.ahead.extend_from_slice(chunk);
            self.waiting += chunk.len();
        }
    }

    fn rest_ahead(&self) -> &[u8] {
        self.ahead.get(self.ahead_sent..).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.ahead.is_empty()
    }

    /// Bytes that the kernel has not taken.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// What to send next, at most [`MAX_SLICES`] slices.
    pub fn slices(&self) -> Vec<IoSlice<'_>> {
        let requests = self.requests.iter().map(Request::rest);
        std::iter::once(self.rest_ahead())
            .filter(|ahead| !ahead.is_empty())
            .chain(requests)
            .take(MAX_SLICES)
            .map(IoSlice::new)
            .collect()
    }

    /// Whether there are such bytes.
    pub fn has_ahead(&self) -> bool {
        !self.rest_ahead().is_empty()
    }

    /// Whether somebody waits, or a relay's bytes do.
    pub fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Sends the bytes that nobody waits for: by `send`, once.
    ///
    /// # Errors
    /// What `send` answers; nothing was sent then.
    pub fn send_ahead<E>(&mut self, send: impl FnOnce(&[IoSlice<'_>]) -> Result<usize, E>) -> Result<(), E> {
        let taken = send(&[IoSlice::new(self.rest_ahead())])?;
        self.advance_ahead(taken);
        Ok(())
    }

    /// The kernel took `taken` bytes. Answers how many of them were not such that nobody waits for.
    fn advance_ahead(&mut self, taken: usize) -> usize {
        let step = taken.min(self.rest_ahead().len());
        self.ahead_sent += step;
        self.waiting -= step;
        if self.rest_ahead().is_empty() {
            self.ahead_sent = 0;
            self.ahead.clear();
            self.ahead.shrink_to(KEPT);
        }
        taken - step
    }

    /// The kernel took `taken` bytes. Answers how many requests that finished, of those that are told.
    pub fn advance(&mut self, taken: usize) -> usize {
        let mut done = 0;
        let mut taken = self.advance_ahead(taken);
        if self.has_ahead() {
            return done;
        }
        while let Some(request) = self.requests.front_mut() {
            let step = taken.min(request.rest().len());
            request.sent += step;
            taken -= step;
            self.waiting -= step;
            if !request.rest().is_empty() {
                break;
            }
            done += usize::from(request.told);
            self.requests.pop_front();
        }
        done
    }

    /// Drops the requests, none of which was begun while bytes before them wait.
    pub fn drop_requests(&mut self) {
        self.requests.clear();
        self.waiting = self.rest_ahead().len();
    }

    /// Drops everything. Answers how many requests that were, of those that are told.
    pub fn clear(&mut self) -> usize {
        let dropped = std::mem::take(self).requests;
        dropped.iter().filter(|request| request.told).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays a kernel that takes `step` bytes at a time, and answers what it got and in which order requests ended.
    fn drain(queue: &mut WriteQueue, steps: &[usize]) -> (Vec<u8>, usize) {
        let (mut got, mut done) = (Vec::new(), 0);
        let mut steps = steps.iter().cycle();
        while !queue.is_empty() {
            let flat: Vec<u8> = queue.slices().iter().flat_map(|slice| slice.to_vec()).collect();
            let taken = flat.len().min(*steps.next().unwrap_or(&1));
            got.extend_from_slice(&flat[..taken]);
            done += queue.advance(taken);
        }
        (got, done)
    }

    proptest! {
        #[test]
        fn any_chunking_in_the_same_bytes_out(
            writes in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..4), 0..100),
            steps in prop::collection::vec(1usize..200, 1..10),
            already_sent in 0usize..30,
        ) {
            let mut queue = WriteQueue::default();
            let mut expected = Vec::new();
            for (n, write) in writes.iter().enumerate() {
                let slices: Vec<_> = write.iter().map(|chunk| IoSlice::new(chunk)).collect();
                let flat = write.concat();
                let sent = if n == 0 { already_sent.min(flat.len()) } else { 0 };
                queue.push(&slices, sent, usize::MAX);
                expected.extend_from_slice(&flat[sent..]);
            }
            prop_assert_eq!(queue.waiting(), expected.len());
            let (got, done) = drain(&mut queue, &steps);
            prop_assert_eq!(got, expected);
            prop_assert_eq!(done, writes.len());
            prop_assert_eq!(queue.waiting(), 0);
        }
    }

    #[test]
    fn a_window_of_a_write_is_taken_wherever_its_chunks_end() {
        let chunks = [IoSlice::new(b"abc"), IoSlice::new(b"def"), IoSlice::new(b"g")];
        for sent in 0..8 {
            for most in 0..8 {
                let mut queue = WriteQueue::default();
                let taken = queue.push(&chunks, sent, most);
                assert_eq!((taken, queue.waiting()), ((7 - sent).min(most), taken));
                assert_eq!(drain(&mut queue, &[1]).0, b"abcdefg"[sent..sent + taken]);
            }
        }
    }

    #[test]
    fn an_empty_write_is_done_in_its_turn() {
        let mut queue = WriteQueue::default();
        queue.push(&[IoSlice::new(b"ab")], 0, usize::MAX);
        queue.push(&[], 0, usize::MAX);
        assert_eq!(queue.advance(1), 0);
        assert_eq!(queue.advance(1), 2);
        assert!(queue.is_empty());
    }

    #[test]
    fn bytes_that_nobody_waits_for_go_out_before_requests_and_finish_none() {
        let mut queue = WriteQueue::default();
        queue.push_ahead(&[IoSlice::new(b"abc")]);
        assert!(queue.has_ahead() && !queue.has_requests());
        queue.push(&[], 0, usize::MAX);
        let sent = queue.send_ahead(|bytes| Ok::<_, ()>(bytes[0].len() - 1));
        assert_eq!((sent, queue.has_ahead(), queue.waiting()), (Ok(()), true, 1));
        assert_eq!(queue.send_ahead(|bytes| Ok::<_, ()>(bytes[0].len())), Ok(()));
        assert!(
            !queue.has_ahead() && queue.has_requests(),
            "the empty write is not told yet"
        );
        assert_eq!(queue.advance(0), 1);
    }

    #[test]
    fn clearing_tells_how_many_requests_will_never_be_done() {
        let mut queue = WriteQueue::default();
        queue.push(&[IoSlice::new(b"a")], 0, usize::MAX);
        queue.push(&[IoSlice::new(b"b")], 0, usize::MAX);
        assert_eq!(queue.clear(), 2);
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn dropping_the_requests_leaves_what_nobody_waits_for() {
        let mut queue = WriteQueue::default();
        queue.push_ahead(&[IoSlice::new(b"abc")]);
        queue.push(&[IoSlice::new(b"d")], 0, usize::MAX);
        queue.push_untold(b"e");
        queue.advance(1);
        queue.drop_requests();
        assert_eq!(queue.waiting(), 2);
        assert_eq!(drain(&mut queue, &[1]), (b"bc".to_vec(), 0));
    }

    #[test]
    fn bytes_of_a_relay_keep_their_place_and_are_not_told() {
        let mut queue = WriteQueue::default();
        queue.push_untold(b"ab");
        queue.push(&[IoSlice::new(b"c")], 0, usize::MAX);
        queue.push_untold(b"d");
        assert_eq!(drain(&mut queue, &[1]), (b"abcd".to_vec(), 1));
        queue.push_untold(b"e");
        assert_eq!(queue.waiting(), 1);
        assert_eq!(queue.clear(), 0);
    }

    #[test]
    fn what_nobody_hears_of_any_more_is_sent_all_the_same() {
        let mut queue = WriteQueue::default();
        queue.push_ahead(&[IoSlice::new(b"a")]);
        queue.push(&[IoSlice::new(b"b")], 0, usize::MAX);
        queue.untell();
        queue.push(&[IoSlice::new(b"c")], 0, usize::MAX);
        assert_eq!(drain(&mut queue, &[1]), (b"abc".to_vec(), 1));
    }
}
