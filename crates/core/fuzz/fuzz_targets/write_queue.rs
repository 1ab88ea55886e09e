//! What was written and the kernel has not taken: any writes, and a kernel that takes any number of bytes.
#![no_main]

use std::collections::VecDeque;
use std::io::IoSlice;

use arbitrary::Arbitrary;
use ferronet_core::payload::Transmit;
use ferronet_core::write_queue::WriteQueue;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Push(Vec<Vec<u8>>, u8, Option<u16>),
    Relay(Vec<u8>),
    Batch(Vec<Vec<u8>>),
    Send(u16),
    StopReporting,
}

/// What the queue must say after each step.
#[derive(Default)]
struct Model {
    written: Vec<u8>,
    out: Vec<u8>,
    /// Where each request ends among the bytes that were written, and whether that is reported.
    requests: VecDeque<(usize, bool)>,
}

impl Model {
    fn request(&mut self, bytes: &[u8], reported: bool) {
        self.written.extend_from_slice(bytes);
        self.requests.push_back((self.written.len(), reported));
    }

    /// The kernel takes at most so many bytes.
    fn send(&mut self, queue: &mut WriteQueue, most: usize) {
        let Transmit::Bytes(slices) = queue.next_transmit();
        let mut offered: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        offered.truncate(most);
        self.out.extend_from_slice(&offered);
        let mut ended = 0;
        while let Some((_, reported)) = self.requests.pop_front_if(|(end, _)| *end <= self.out.len()) {
            ended += usize::from(reported);
        }
        assert_eq!(queue.advance(offered.len()), ended);
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let (mut queue, mut model) = (WriteQueue::default(), Model::default());
    for step in steps {
        match step {
            Step::Push(chunks, sent, most) => {
                let slices: Vec<_> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
                let most = most.map_or(usize::MAX, usize::from);
                let length = queue.push(&slices, usize::from(sent), most);
                let rest = chunks.concat();
                let rest = rest.get(usize::from(sent)..).unwrap_or_default();
                assert_eq!(length, rest.len().min(most));
                model.request(&rest[..length], true);
            }
            Step::Relay(bytes) => {
                queue.push_unreported(&bytes);
                model.request(&bytes, false);
            }
            Step::Batch(chunks) => {
                let bytes = chunks.concat();
                if queue.can_batch(bytes.len()) {
                    let slices: Vec<_> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
                    queue.push_batched(&slices);
                    model.written.extend_from_slice(&bytes);
                }
            }
            Step::Send(most) => model.send(&mut queue, usize::from(most)),
            Step::StopReporting => {
                queue.stop_reporting();
                for (_, reported) in &mut model.requests {
                    *reported = false;
                }
            }
        }
        assert_eq!(queue.waiting(), model.written.len() - model.out.len());
    }
    while !queue.is_empty() {
        model.send(&mut queue, usize::MAX);
    }
    assert_eq!(model.out, model.written);
    assert!(model.requests.is_empty());
});
