//! Random sequences of operations, on a state machine and on a naive model of it: both must agree after every
//! step.
//!
//! `PROPTEST_CASES` says how many sequences; each is short, so that the default of 256 takes about a second.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backoff;
mod handles;
mod inbox;
mod lanes;
mod ledger;
mod state;
mod write_queue;

/// How many steps a sequence has at most. Miri, which interprets each, gets a sixth.
const fn steps(most: usize) -> usize {
    if cfg!(miri) { most / 6 } else { most }
}
