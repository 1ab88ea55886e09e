//! Ids of handles, as JavaScript gives them back: any number at any time.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use ferronet_core::handles::{HandleId, HandleTable};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Insert,
    /// Of the id that was given out as number `n`, which may be stale.
    Remove(u8),
    /// Any number.
    RemoveNumber(u64),
    Get(u64),
}

fuzz_target!(|steps: Vec<Step>| {
    let mut table = HandleTable::default();
    let (mut given, mut live): (Vec<u64>, HashMap<u64, usize>) = (Vec::new(), HashMap::new());
    for (value, step) in steps.into_iter().enumerate() {
        match step {
            Step::Insert => {
                let Some(id) = table.insert_with(|id| (value, id.to_bits())) else {
                    continue;
                };
                assert!(!given.contains(&id), "an id is given out once");
                given.push(id);
                live.insert(id, value);
            }
            Step::Remove(n) => {
                if let Some(id) = given.get(usize::from(n)) {
                    assert_eq!(table.remove(HandleId::from_bits(*id)), live.remove(id));
                }
            }
            Step::RemoveNumber(number) => {
                let id = HandleId::from_bits(number);
                assert_eq!(table.remove(id), live.remove(&id.to_bits()));
            }
            Step::Get(number) => {
                let id = HandleId::from_bits(number);
                assert!(id.to_bits() < 1 << 52);
                assert_eq!(table.get(id), live.get(&id.to_bits()));
            }
        }
        assert_eq!(table.len(), live.len());
    }
});
