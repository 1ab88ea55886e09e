//! What was read and not taken: any bytes in any chunks, taken and put back at any time.
#![no_main]

use arbitrary::Arbitrary;
use ferronet_core::inbox::{Inbox, Inboxed};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Push(Vec<u8>),
    Append(Vec<u8>),
    Take,
    PutBack(u8),
}

fuzz_target!(|input: (Vec<Step>, u8)| {
    let (steps, end) = input;
    let mut inbox = Inbox::<Vec<u8>, u8>::default();
    let (mut read, mut taken): (Vec<u8>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Push(bytes) => {
                read.extend_from_slice(&bytes);
                inbox.push(bytes);
            }
            Step::Append(bytes) => {
                let appended = inbox.append(bytes.len(), |last| {
                    last.extend_from_slice(&bytes);
                    true
                });
                if appended {
                    read.extend_from_slice(&bytes);
                }
            }
            Step::Take => taken.extend(inbox.take_bytes()),
            Step::PutBack(count) => {
                let first = taken.len().saturating_sub(usize::from(count));
                inbox.put_back(taken.split_off(first).into_iter());
            }
        }
        let out: usize = taken.iter().map(Vec::len).sum();
        assert_eq!(inbox.waiting(), read.len() - out);
    }
    inbox.end(end);
    let mut ends = 0;
    while let Some(inboxed) = inbox.take() {
        match inboxed {
            Inboxed::Data(chunk) => taken.push(chunk),
            Inboxed::End(reason) => {
                assert_eq!(reason, end);
                ends += 1;
            }
        }
    }
    assert_eq!((taken.concat(), ends), (read, 1));
});
