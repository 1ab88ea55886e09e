//! What the kernel has not taken yet: requests in order, each done when its last byte is gone.

use std::collections::VecDeque;
use std::io::IoSlice;

/// The most slices that one vectored write is given; more bring nothing and the kernel refuses more than 1024.
const MAX_SLICES: usize = 64;

#[derive(Debug)]
struct Request {
    bytes: Box<[u8]>,
    sent: usize,
}

impl Request {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }
}

/// The queue of one connection. An empty request (a write of no bytes) is a request: it is done in its turn.
#[derive(Debug, Default)]
pub(crate) struct WriteQueue {
    requests: VecDeque<Request>,
    waiting: usize,
}

impl WriteQueue {
    /// Queues what `chunks` hold after their first `sent` bytes, as one request.
    pub(crate) fn push(&mut self, chunks: &[IoSlice<'_>], sent: usize) {
        let mut skip = sent;
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let mut bytes = Vec::with_capacity(total.saturating_sub(sent));
        for chunk in chunks {
            let skipped = skip.min(chunk.len());
            skip -= skipped;
            bytes.extend_from_slice(&chunk[skipped..]);
        }
        self.waiting += bytes.len();
        self.requests.push_back(Request {
            bytes: bytes.into_boxed_slice(),
            sent: 0,
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Bytes that the kernel has not taken.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }

    /// What to send next, at most [`MAX_SLICES`] slices.
    pub(crate) fn slices(&self) -> Vec<IoSlice<'_>> {
        self.requests
            .iter()
            .take(MAX_SLICES)
            .map(|request| IoSlice::new(request.rest()))
            .collect()
    }

    /// The kernel took `taken` bytes. Answers how many requests that finished.
    pub(crate) fn advance(&mut self, mut taken: usize) -> usize {
        let mut done = 0;
        while let Some(request) = self.requests.front_mut() {
            let step = taken.min(request.rest().len());
            request.sent += step;
            taken -= step;
            self.waiting -= step;
            if !request.rest().is_empty() {
                break;
            }
            self.requests.pop_front();
            done += 1;
        }
        done
    }

    /// Drops everything. Answers how many requests that were.
    pub(crate) fn clear(&mut self) -> usize {
        self.waiting = 0;
        let dropped = self.requests.len();
        self.requests = VecDeque::new();
        dropped
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
                queue.push(&slices, sent);
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
    fn an_empty_write_is_done_in_its_turn() {
        let mut queue = WriteQueue::default();
        queue.push(&[IoSlice::new(b"ab")], 0);
        queue.push(&[], 0);
        assert_eq!(queue.advance(1), 0);
        assert_eq!(queue.advance(1), 2);
        assert!(queue.is_empty());
    }

    #[test]
    fn clearing_tells_how_many_requests_will_never_be_done() {
        let mut queue = WriteQueue::default();
        queue.push(&[IoSlice::new(b"a")], 0);
        queue.push(&[IoSlice::new(b"b")], 0);
        assert_eq!(queue.clear(), 2);
        assert_eq!(queue.waiting(), 0);
    }
}
