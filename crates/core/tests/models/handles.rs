use ferronet_core::handles::{HandleId, HandleTable};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Insert,
    /// Of the id that was given out as number `n`, modulo how many there are. It may be stale.
    Remove(usize),
    Change(usize),
    Drain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => Just(Step::Insert),
        30 => any::<usize>().prop_map(Step::Remove),
        10 => any::<usize>().prop_map(Step::Change),
        1 => Just(Step::Drain),
    ]
}

proptest! {
    #[test]
    fn an_id_finds_its_own_value_until_that_is_removed_and_nothing_afterwards(
        steps in prop::collection::vec(step(), 1..crate::steps(120)),
    ) {
        let mut table = HandleTable::default();
        // Every id since the table was last drained, with its value while it has one.
        let mut given: Vec<(HandleId, Option<usize>)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert => {
                    let id = table.insert_with(|id| (number, id)).unwrap();
                    prop_assert!(given.iter().all(|(other, _)| *other != id), "an id is given out once");
                    given.push((id, Some(number)));
                }
                Step::Remove(n) if !given.is_empty() => {
                    let n = n % given.len();
                    let (id, value) = &mut given[n];
                    prop_assert_eq!(table.remove(*id), value.take());
                }
                Step::Change(n) if !given.is_empty() => {
                    let n = n % given.len();
                    let (id, value) = &mut given[n];
                    prop_assert_eq!(table.get_mut(*id).map(|value| std::mem::replace(value, number)), *value);
                    *value = value.map(|_| number);
                }
                Step::Drain => {
                    let mut drained = table.drain();
                    drained.sort_unstable();
                    let mut values: Vec<_> = given.drain(..).filter_map(|(_, value)| value).collect();
                    values.sort_unstable();
                    prop_assert_eq!(drained, values);
                }
                Step::Remove(_) | Step::Change(_) => {}
            }
            let mut taken: Vec<_> = given.iter().filter(|(_, value)| value.is_some()).collect();
            for (id, value) in &given {
                prop_assert_eq!(table.get(*id), value.as_ref());
                prop_assert_eq!(HandleId::from_bits(id.to_bits()), *id);
            }
            prop_assert_eq!(table.get(HandleId::NONE), None);
            prop_assert_eq!((table.len(), table.is_empty()), (taken.len(), taken.is_empty()));
            // In the order of their slots, which are the low 24 bits.
            taken.sort_unstable_by_key(|(id, _)| id.to_bits() & 0xff_ffff);
            prop_assert_eq!(table.ids().collect::<Vec<_>>(), taken.iter().map(|(id, _)| *id).collect::<Vec<_>>());
            prop_assert!(table.values().eq(taken.iter().filter_map(|(_, value)| value.as_ref())));
        }
    }

    #[test]
    fn any_number_is_an_id_of_52_bits(bits in any::<u64>()) {
        let id = HandleId::from_bits(bits);
        prop_assert_eq!(id.to_bits(), bits & ((1 << 52) - 1));
        let empty = HandleTable::<()>::default();
        prop_assert_eq!(empty.get(id), None);
    }
}
