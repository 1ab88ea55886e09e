use std::collections::VecDeque;
use std::io::IoSlice;

use ferronet_core::payload::Transmit;
use ferronet_core::write_queue::WriteQueue;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// A write in chunks of these lengths, of which the kernel took so many bytes at once and so many may be
    /// copied.
    Push(Vec<usize>, usize, usize),
    PushUnreported(usize),
    /// Bytes that are reported as written, if there is room for them.
    PushBatched(Vec<usize>),
    StopReporting,
    /// The kernel takes at most so many bytes.
    Send(usize),
    /// As `Send`, of what is reported as written only.
    SendBatched(usize),
    DropRequests,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let lengths = || prop::collection::vec(0usize..30, 0..4);
    let most = prop_oneof![0usize..40, Just(usize::MAX)];
    prop_oneof![
        6 => (lengths(), 0usize..40, most).prop_map(|(lengths, sent, most)| Step::Push(lengths, sent, most)),
        3 => (0usize..30).prop_map(Step::PushUnreported),
        6 => lengths().prop_map(Step::PushBatched),
        // Such that the room for them runs out.
        1 => (0usize..9000).prop_map(|length| Step::PushBatched(vec![length])),
        1 => Just(Step::StopReporting),
        12 => (0usize..80).prop_map(Step::Send),
        3 => (0usize..80).prop_map(Step::SendBatched),
        1 => Just(Step::DropRequests),
        1 => Just(Step::Clear),
    ]
}

#[derive(Default)]
struct Model {
    batched: VecDeque<u8>,
    /// The bytes that are left of each, and whether its end is reported.
    requests: VecDeque<(VecDeque<u8>, bool)>,
}

impl Model {
    fn waiting(&self) -> impl Iterator<Item = u8> {
        let requests = self.requests.iter().flat_map(|(bytes, _)| bytes);
        self.batched.iter().chain(requests).copied()
    }

    fn len(&self) -> usize {
        let requests: usize = self.requests.iter().map(|(bytes, _)| bytes.len()).sum();
        self.batched.len() + requests
    }

    /// Takes `taken` bytes off, and returns how many requests that are reported have ended.
    fn advance(&mut self, mut taken: usize) -> usize {
        let mut done = 0;
        let step = taken.min(self.batched.len());
        self.batched.drain(..step);
        taken -= step;
        while self.batched.is_empty()
            && let Some((bytes, reported)) = self.requests.front_mut()
        {
            let step = taken.min(bytes.len());
            bytes.drain(..step);
            taken -= step;
            if !bytes.is_empty() {
                break;
            }
            done += usize::from(*reported);
            self.requests.pop_front();
        }
        done
    }
}

/// Each byte differs from its neighbours, so that any other order shows.
struct Bytes(u8);

impl Bytes {
    fn take(&mut self, length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| {
                self.0 = self.0.wrapping_add(1);
                self.0
            })
            .collect()
    }

    fn chunks(&mut self, lengths: &[usize]) -> Vec<Vec<u8>> {
        lengths.iter().map(|length| self.take(*length)).collect()
    }
}

/// What the next call hands to the kernel.
fn offered(queue: &WriteQueue) -> Vec<u8> {
    let Transmit::Bytes(slices) = queue.next_transmit();
    slices.iter().flat_map(|slice| slice.to_vec()).collect()
}

fn slices(chunks: &[Vec<u8>]) -> Vec<IoSlice<'_>> {
    chunks.iter().map(|chunk| IoSlice::new(chunk)).collect()
}

proptest! {
    #[test]
    fn no_byte_is_lost_doubled_or_reordered_and_each_request_ends_once(
        steps in prop::collection::vec(step(), 1..crate::steps(60)),
    ) {
        let (mut queue, mut model, mut bytes) = (WriteQueue::default(), Model::default(), Bytes(0));
        for step in steps {
            match step {
                Step::Push(lengths, sent, most) => {
                    let chunks = bytes.chunks(&lengths);
                    let rest: VecDeque<u8> = chunks.concat().into_iter().skip(sent).take(most).collect();
                    prop_assert_eq!(queue.push(&slices(&chunks), sent, most), rest.len());
                    model.requests.push_back((rest, true));
                }
                Step::PushUnreported(length) => {
                    let relayed = bytes.take(length);
                    queue.push_unreported(&relayed);
                    model.requests.push_back((relayed.into(), false));
                }
                Step::PushBatched(lengths) => {
                    let chunks = bytes.chunks(&lengths);
                    let length = lengths.iter().sum();
                    let has_room = queue.can_batch(length);
                    prop_assert!(!has_room || (model.requests.is_empty() && model.batched.len() + length <= 16 * 1024));
                    prop_assert!(has_room || model.len() > 0 || !model.requests.is_empty() || length > 16 * 1024);
                    if has_room {
                        queue.push_batched(&slices(&chunks));
                        model.batched.extend(chunks.concat());
                    }
                }
                Step::StopReporting => {
                    queue.stop_reporting();
                    for (_, reported) in &mut model.requests {
                        *reported = false;
                    }
                }
                Step::Send(most) => {
                    let offered = offered(&queue);
                    prop_assert!(model.waiting().take(offered.len()).eq(offered.iter().copied()));
                    prop_assert!(!offered.is_empty() || model.len() == 0);
                    let taken = most.min(offered.len());
                    prop_assert_eq!(queue.advance(taken), model.advance(taken));
                }
                Step::SendBatched(most) => {
                    let batched: Vec<u8> = model.batched.iter().copied().collect();
                    let taken = most.min(batched.len());
                    let sent = queue.send_batched(|offered| {
                        (offered.len() == 1 && *offered[0] == *batched).then_some(taken).ok_or(())
                    });
                    prop_assert_eq!(sent, Ok(()));
                    model.batched.drain(..taken);
                }
                Step::DropRequests => {
                    queue.drop_requests();
                    model.requests.clear();
                }
                Step::Clear => {
                    let reported = model.requests.iter().filter(|(_, reported)| *reported).count();
                    prop_assert_eq!(queue.clear(), reported);
                    model = Model::default();
                }
            }
            prop_assert_eq!(queue.waiting(), model.len());
            prop_assert_eq!(queue.has_batched(), !model.batched.is_empty());
            prop_assert_eq!(queue.has_requests(), !model.requests.is_empty());
            prop_assert_eq!(queue.is_empty(), model.batched.is_empty() && model.requests.is_empty());
        }
        // What is left goes out in its order.
        let (mut rest, mut left) = (Vec::new(), model.len() + model.requests.len());
        let expected: Vec<u8> = model.waiting().collect();
        while !queue.is_empty() {
            let offered = offered(&queue);
            let taken = offered.len().min(500);
            rest.extend_from_slice(&offered[..taken]);
            prop_assert_eq!(queue.advance(taken), model.advance(taken));
            prop_assert!(left > 0, "it drains");
            left = left.saturating_sub(1);
        }
        prop_assert_eq!(rest, expected);
    }
}
