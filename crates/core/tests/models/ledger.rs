use std::collections::VecDeque;

use ferronet_core::ledger::{Acquired, Ledger, Ticket};
use proptest::prelude::*;

const BLOCK: usize = 10;

#[derive(Clone, Debug)]
enum Step {
    /// A task without a ticket asks for a block.
    Acquire,
    /// The holder of a ticket asks again.
    AcquireAgain(usize),
    Cancel(usize),
    ForceBlock,
    ForceCharge(usize),
    TryCharge(usize),
    /// Part of a charge is released, or, with its memory, all of it.
    Release(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Acquire),
        4 => any::<usize>().prop_map(Step::AcquireAgain),
        2 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::ForceBlock),
        1 => (1..2 * BLOCK).prop_map(Step::ForceCharge),
        2 => (1..2 * BLOCK).prop_map(Step::TryCharge),
        8 => (any::<usize>(), 1..=BLOCK).prop_map(|(n, bytes)| Step::Release(n, bytes)),
    ]
}

#[derive(Default)]
struct Model {
    /// What is charged and in use.
    charges: Vec<usize>,
    waiting: VecDeque<Ticket>,
    granted: Vec<Ticket>,
}

impl Model {
    fn charged(&self) -> usize {
        self.charges.iter().sum::<usize>() + self.granted.len() * BLOCK
    }

    fn tickets(&self) -> Vec<Ticket> {
        self.waiting.iter().chain(&self.granted).copied().collect()
    }
}

proptest! {
    #[test]
    fn charges_are_conserved_and_no_waiter_overtakes_another(
        blocks in 1usize..5,
        steps in prop::collection::vec(step(), 1..crate::steps(150)),
    ) {
        let limit = blocks * BLOCK;
        let mut ledger = Ledger::<usize>::new(limit, BLOCK);
        let mut model = Model::default();
        // A waiter is known by the number of its ticket among all; the model knows the ticket.
        let (mut count, mut tickets) = (0, Vec::new());
        for step in steps {
            let mut granted = Vec::new();
            match step {
                Step::Acquire => {
                    let has_room = model.charged() + BLOCK <= limit;
                    prop_assert!(!has_room || model.waiting.is_empty(), "room is granted first to those who wait");
                    let number = count;
                    match ledger.acquire(None, || number) {
                        Acquired::Block(_) => {
                            prop_assert!(has_room);
                            model.charges.push(BLOCK);
                        }
                        Acquired::Waiting(ticket) => {
                            prop_assert!(!has_room);
                            prop_assert!(!tickets.contains(&ticket), "a ticket is given out once");
                            count += 1;
                            tickets.push(ticket);
                            model.waiting.push_back(ticket);
                        }
                    }
                }
                Step::AcquireAgain(n) if !model.tickets().is_empty() => {
                    let ticket = model.tickets()[n % model.tickets().len()];
                    let is_granted = model.granted.contains(&ticket);
                    match ledger.acquire(Some(ticket), || usize::MAX) {
                        Acquired::Block(_) => {
                            prop_assert!(is_granted);
                            model.granted.retain(|other| *other != ticket);
                            model.charges.push(BLOCK);
                        }
                        Acquired::Waiting(same) => prop_assert!(!is_granted && same == ticket),
                    }
                }
                Step::Cancel(n) if !model.tickets().is_empty() => {
                    let ticket = model.tickets()[n % model.tickets().len()];
                    granted = ledger.cancel(ticket);
                    model.waiting.retain(|other| *other != ticket);
                    model.granted.retain(|other| *other != ticket);
                }
                Step::ForceBlock => {
                    ledger.force_block();
                    model.charges.push(BLOCK);
                }
                Step::ForceCharge(bytes) => {
                    ledger.force_charge(bytes);
                    model.charges.push(bytes);
                }
                Step::TryCharge(bytes) => {
                    let fits = model.waiting.is_empty() && model.charged() + bytes <= limit;
                    prop_assert_eq!(ledger.try_charge(bytes), fits);
                    model.charges.extend(fits.then_some(bytes));
                }
                Step::Release(n, bytes) if !model.charges.is_empty() => {
                    let n = n % model.charges.len();
                    let bytes = bytes.min(model.charges[n]);
                    model.charges[n] -= bytes;
                    if model.charges[n] == 0 {
                        model.charges.swap_remove(n);
                    }
                    granted = ledger.release(bytes, (bytes == BLOCK).then(|| vec![0; BLOCK].into()));
                }
                Step::AcquireAgain(_) | Step::Cancel(_) | Step::Release(..) => {}
            }
            for number in granted {
                prop_assert_eq!(model.waiting.pop_front(), Some(tickets[number]), "first come, first served");
                model.granted.push(tickets[number]);
            }
            prop_assert_eq!(ledger.charged(), model.charged());
            prop_assert!(model.waiting.is_empty() || model.charged() + BLOCK > limit, "no room is left unused");
            let allocated: usize = model.charges.iter().sum();
            prop_assert!(ledger.spare() == 0 || allocated + ledger.spare() * BLOCK <= limit);
            prop_assert_eq!(ledger.is_unused(), model.charged() == 0 && model.waiting.is_empty());
        }
    }
}
