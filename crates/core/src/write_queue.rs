//! What the kernel has not taken yet: batched writes, which were reported as written when they were taken in,
//! then requests in order, each done when its last byte is gone.

use std::io::IoSlice;

use crate::payload::{Payload, Transmit};
use crate::rare_queue::RareQueue;

/// How many bytes may be batched. A write that is larger gains nothing by waiting.
const MAX_BATCHED: usize = 16 * 1024;
/// How much of a write that the kernel does not take is copied when its writer keeps the rest. On loopback it
/// is sent in about the time that it takes to ask for the next.
pub const WINDOW: usize = 256 * 1024;
/// The capacity that the batch of an idle connection keeps.
const IDLE_CAPACITY: usize = 256;

#[derive(Debug)]
struct Request {
    payload: Payload,
    /// Its end is reported.
    reported: bool,
}

/// The queue of one connection. An empty request (a write of no bytes) is a request: it is done in its turn.
#[derive(Debug, Default)]
pub struct WriteQueue {
    /// Bytes that were reported as written when they were taken in. They go before all requests.
    batched: Vec<u8>,
    /// How many of them the kernel has taken.
    batched_sent: usize,
    requests: RareQueue<Request>,
    waiting: usize,
}

impl WriteQueue {
    /// Queues what `chunks` hold after their first `sent` bytes, `most` bytes of it, as one request. Returns
    /// how many bytes that is.
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
        self.push_payload(Payload::bytes(bytes.into_boxed_slice()), true);
        len
    }

    /// Queues bytes of a relay, as a request whose end is not reported.
    pub fn push_unreported(&mut self, bytes: &[u8]) {
        self.push_payload(Payload::bytes(bytes.into()), false);
    }

    fn push_payload(&mut self, payload: Payload, reported: bool) {
        self.waiting += payload.len();
        self.requests.push_back(Request { payload, reported });
    }

    /// The end of what waits is not reported any more; it is sent all the same.
    pub fn stop_reporting(&mut self) {
        for request in self.requests.iter_mut() {
            request.reported = false;
        }
    }

    /// Whether `len` more bytes may be batched.
    pub fn can_batch(&self, len: usize) -> bool {
        self.requests.is_empty() && self.batched.len() + len <= MAX_BATCHED
    }

    /// Takes in bytes that are reported as written now.
    pub fn push_batched(&mut self, chunks: &[IoSlice<'_>]) {
        for chunk in chunks {
            self.batched.extend_from_slice(chunk);
            self.waiting += chunk.len();
        }
    }

    fn unsent_batched(&self) -> &[u8] {
        self.batched.get(self.batched_sent..).unwrap_or_default()
    }

    /// Whether there are neither batched bytes nor requests, of no bytes included.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.batched.is_empty()
    }

    /// Bytes that the kernel has not taken.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// What to send next, as much as one call takes.
    pub fn next_transmit(&self) -> Transmit<'_> {
        let mut call = Transmit::beginning_with(self.unsent_batched(), self.requests.len());
        for request in self.requests.iter() {
            if !request.payload.join(&mut call) {
                break;
            }
        }
        call
    }

    /// Whether batched bytes are left.
    pub fn has_batched(&self) -> bool {
        !self.unsent_batched().is_empty()
    }

    /// Whether there are requests, reported or not.
    pub fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Sends the batched bytes: by one call of `send`.
    ///
    /// # Errors
    /// The error of `send`; nothing was sent then.
    pub fn send_batched<E>(
        &mut self,
        send: impl FnOnce(&[IoSlice<'_>]) -> Result<usize, E>,
    ) -> Result<(), E> {
        let taken = send(&[IoSlice::new(self.unsent_batched())])?;
        self.advance_batched(taken);
        Ok(())
    }

    /// The kernel took `taken` bytes. Returns how many of them were not batched ones.
    fn advance_batched(&mut self, taken: usize) -> usize {
        let step = taken.min(self.unsent_batched().len());
        self.batched_sent += step;
        self.waiting -= step;
        if self.unsent_batched().is_empty() {
            self.batched_sent = 0;
            self.batched.clear();
            self.batched.shrink_to(IDLE_CAPACITY);
        }
        taken - step
    }

    /// The kernel took `taken` bytes. Returns how many requests that finished, of those whose end is
    /// reported.
    pub fn advance(&mut self, taken: usize) -> usize {
        let mut done = 0;
        let mut taken = self.advance_batched(taken);
        if self.has_batched() {
            return done;
        }
        while let Some(request) = self.requests.front_mut() {
            let step = request.payload.advance(taken);
            taken -= step;
            self.waiting -= step;
            if !request.payload.is_sent() {
                break;
            }
            done += usize::from(request.reported);
            self.requests.pop_front();
        }
        self.requests.release();
        done
    }

    /// Drops the requests, none of which was begun while bytes before them wait.
    pub fn drop_requests(&mut self) {
        self.requests.clear();
        self.waiting = self.unsent_batched().len();
    }

    /// Drops everything. Returns how many requests that were, of those whose end is reported.
    pub fn clear(&mut self) -> usize {
        let dropped = std::mem::take(self).requests;
        dropped.iter().filter(|request| request.reported).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays a kernel that takes `step` bytes at a time, and returns what it got and in which order requests
    /// ended.
    fn drain(queue: &mut WriteQueue, steps: &[usize]) -> (Vec<u8>, usize) {
        let (mut got, mut done) = (Vec::new(), 0);
        let mut steps = steps.iter().cycle();
        while !queue.is_empty() {
            let Transmit::Bytes(slices) = queue.next_transmit();
            let flat = slices
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect::<Vec<u8>>();
            let taken = flat.len().min(*steps.next().unwrap_or(&1));
            got.extend_from_slice(&flat[..taken]);
            done += queue.advance(taken);
        }
        (got, done)
    }

    /// More than one call takes; Miri is too slow for so many.
    const WRITES: usize = if cfg!(miri) { 8 } else { 100 };

    proptest! {
        #[test]
        fn any_chunking_in_the_same_bytes_out(
            writes in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..4), 0..WRITES),
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
    fn batched_bytes_go_out_before_requests_and_finish_none() {
        let mut queue = WriteQueue::default();
        queue.push_batched(&[IoSlice::new(b"abc")]);
        assert!(queue.has_batched() && !queue.has_requests());
        queue.push(&[], 0, usize::MAX);
        let sent = queue.send_batched(|bytes| Ok::<_, ()>(bytes[0].len() - 1));
        assert_eq!((sent, queue.has_batched(), queue.waiting()), (Ok(()), true, 1));
        assert_eq!(queue.send_batched(|bytes| Ok::<_, ()>(bytes[0].len())), Ok(()));
        assert!(
            !queue.has_batched() && queue.has_requests(),
            "the end of the empty write is not reported yet"
        );
        assert_eq!(queue.advance(0), 1);
    }

    #[test]
    fn clearing_answers_how_many_requests_will_never_be_done() {
        let mut queue = WriteQueue::default();
        queue.push(&[IoSlice::new(b"a")], 0, usize::MAX);
        queue.push(&[IoSlice::new(b"b")], 0, usize::MAX);
        assert_eq!(queue.clear(), 2);
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn dropping_the_requests_leaves_what_is_batched() {
        let mut queue = WriteQueue::default();
        queue.push_batched(&[IoSlice::new(b"abc")]);
        queue.push(&[IoSlice::new(b"d")], 0, usize::MAX);
        queue.push_unreported(b"e");
        queue.advance(1);
        queue.drop_requests();
        assert_eq!(queue.waiting(), 2);
        assert_eq!(drain(&mut queue, &[1]), (b"bc".to_vec(), 0));
    }

    #[test]
    fn bytes_of_a_relay_keep_their_place_and_their_end_is_not_reported() {
        let mut queue = WriteQueue::default();
        queue.push_unreported(b"ab");
        queue.push(&[IoSlice::new(b"c")], 0, usize::MAX);
        queue.push_unreported(b"d");
        assert_eq!(drain(&mut queue, &[1]), (b"abcd".to_vec(), 1));
        queue.push_unreported(b"e");
        assert_eq!(queue.waiting(), 1);
        assert_eq!(queue.clear(), 0);
    }

    #[test]
    fn what_is_not_reported_any_more_is_sent_all_the_same() {
        let mut queue = WriteQueue::default();
        queue.push_batched(&[IoSlice::new(b"a")]);
        queue.push(&[IoSlice::new(b"b")], 0, usize::MAX);
        queue.stop_reporting();
        queue.push(&[IoSlice::new(b"c")], 0, usize::MAX);
        assert_eq!(drain(&mut queue, &[1]), (b"abc".to_vec(), 1));
    }
}
