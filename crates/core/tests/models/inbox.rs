use std::collections::VecDeque;

use ferronet_core::inbox::{BLOCK, CREDIT, Inbox, Inboxed};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// So many bytes are read: into the last chunk if that is wanted and there is one, else into a chunk of
    /// their own.
    Read(usize, bool),
    End(u8),
    Take,
    TakeBytes,
    /// The last so many chunks that were taken come back.
    PutBack(usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let large = if cfg!(miri) { 300 } else { BLOCK };
    let length = prop_oneof![8 => 1usize..40, 1 => Just(large)];
    prop_oneof![
        10 => (length, any::<bool>()).prop_map(|(length, append)| Step::Read(length, append)),
        1 => any::<u8>().prop_map(Step::End),
        6 => Just(Step::Take),
        3 => Just(Step::TakeBytes),
        2 => (0usize..4).prop_map(Step::PutBack),
        1 => Just(Step::Clear),
    ]
}

/// Where the end is: `None` before it was read; whether it waits.
type End = Option<(u8, bool)>;

proptest! {
    #[test]
    fn bytes_and_the_end_come_out_in_order_and_once(steps in prop::collection::vec(step(), 1..crate::steps(80))) {
        let mut inbox = Inbox::<Vec<u8>, u8>::default();
        let mut chunks: VecDeque<Vec<u8>> = VecDeque::new();
        let mut taken: Vec<Vec<u8>> = Vec::new();
        let mut end: End = None;
        let mut next = 0_u8;
        for step in steps {
            match step {
                Step::Read(length, append) => {
                    // Each byte differs from its neighbours, so that any other order shows.
                    let bytes: Vec<u8> = (0..length).map(|_| { next = next.wrapping_add(1); next }).collect();
                    let has_appended = inbox.append(length, |last| {
                        if append {
                            last.extend_from_slice(&bytes);
                        }
                        append
                    });
                    prop_assert_eq!(has_appended, append && !chunks.is_empty());
                    if has_appended {
                        chunks.back_mut().unwrap().extend_from_slice(&bytes);
                    } else {
                        inbox.push(bytes.clone());
                        chunks.push_back(bytes);
                    }
                }
                Step::End(reason) => {
                    inbox.end(reason);
                    end = Some((reason, true));
                }
                Step::Take => {
                    let expected = match (chunks.pop_front(), end) {
                        (Some(chunk), _) => Some(Inboxed::Data(chunk)),
                        (None, Some((reason, true))) => {
                            end = Some((reason, false));
                            Some(Inboxed::End(reason))
                        }
                        (None, _) => None,
                    };
                    prop_assert_eq!(inbox.take(), expected.clone());
                    if let Some(Inboxed::Data(chunk)) = expected {
                        taken.push(chunk);
                    }
                }
                Step::TakeBytes => {
                    let expected = chunks.pop_front();
                    prop_assert_eq!(inbox.take_bytes(), expected.clone());
                    taken.extend(expected);
                }
                Step::PutBack(count) => {
                    let back = taken.split_off(taken.len().saturating_sub(count));
                    for chunk in back.iter().rev() {
                        chunks.push_front(chunk.clone());
                    }
                    inbox.put_back(back.into_iter());
                }
                Step::Clear => {
                    inbox.clear();
                    chunks.clear();
                    taken.clear();
                    end = Some((0, false));
                }
            }
            let waiting: usize = chunks.iter().map(Vec::len).sum();
            prop_assert_eq!(inbox.waiting(), waiting);
            prop_assert!(inbox.chunks().eq(chunks.iter()));
            prop_assert_eq!(inbox.has_credit(), waiting < CREDIT);
            prop_assert_eq!(inbox.has_room(), waiting < CREDIT && end.is_none());
            let end_waits = matches!(end, Some((_, true)));
            prop_assert_eq!(inbox.is_empty(), chunks.is_empty() && !end_waits);
            prop_assert_eq!(inbox.is_at_end(), chunks.is_empty() && end.is_some());
        }
    }
}
