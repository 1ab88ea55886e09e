//! What was written and the kernel has not taken: any writes, and a kernel that takes any number of bytes.
#![no_main]

use std::io::IoSlice;

use arbitrary::Arbitrary;
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

fn send(queue: &mut WriteQueue, most: usize, out: &mut Vec<u8>) -> usize {
    let mut offered: Vec<u8> = queue.slices().iter().flat_map(|slice| slice.to_vec()).collect();
    offered.truncate(most);
    out.extend_from_slice(&offered);
    queue.advance(offered.len())
}

fuzz_target!(|steps: Vec<Step>| {
    let mut queue = WriteQueue::default();
    let (mut written, mut out) = (Vec::new(), Vec::new());
    // Writes whose end is to be reported, and how many ends were.
    let (mut requests, mut ended) = (0, 0);
    for step in steps {
        match step {
            Step::Push(chunks, sent, most) => {
                let slices: Vec<_> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
                let most = most.map_or(usize::MAX, usize::from);
                let length = queue.push(&slices, usize::from(sent), most);
                let rest = chunks.concat();
                let rest = rest.get(usize::from(sent)..).unwrap_or_default();
                assert_eq!(length, rest.len().min(most));
                written.extend_from_slice(&rest[..length]);
                requests += 1;
            }
            Step::Relay(bytes) => {
                queue.push_unreported(&bytes);
                written.extend_from_slice(&bytes);
            }
            Step::Batch(chunks) => {
                let bytes = chunks.concat();
                if queue.can_batch(bytes.len()) {
                    let slices: Vec<_> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
                    queue.push_batched(&slices);
                    written.extend_from_slice(&bytes);
                }
            }
            Step::Send(most) => ended += send(&mut queue, usize::from(most), &mut out),
            Step::StopReporting => {
                queue.stop_reporting();
                requests = ended;
            }
        }
        assert_eq!(queue.waiting(), written.len() - out.len());
    }
    while !queue.is_empty() {
        ended += send(&mut queue, usize::MAX, &mut out);
    }
    assert_eq!(out, written);
    assert_eq!(ended, requests);
});
