//! Turns of a consumer that has a loop: in one turn it hears of what happened before that turn began.
//!
//! libuv asks the kernel once a turn, runs the callbacks of what it was told (the *poll phase*), then the program's
//! immediates. What happens meanwhile, be it the peer's answer or the end of a connect that a callback has begun, is
//! told in the next turn. A queue that another thread fills and that is drained until it is empty would tell it in
//! this one: before the immediates, and before the connections that the kernel knew of first.
//!
//! | Phase | on | becomes |
//! | --- | --- | --- |
//! | Elsewhere | poll begins | Polling |
//! | Polling | the consumer's thread runs | Running |
//! | any | poll ended | Elsewhere |

/// Who wants to announce events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The consumer's own thread.
    Consumer,
    /// The reactor's.
    Reactor,
}

/// Where the consumer's loop is. One that never says so is always elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not in its poll phase: what is announced is heard in the coming one.
    #[default]
    Elsewhere,
    /// It polls, or runs callbacks that we do not know of.
    Polling,
    /// It runs callbacks: what were announced now would be heard in the same turn.
    Running,
}

impl Phase {
    pub(crate) fn poll_begins(&mut self) {
        *self = Self::Polling;
    }

    pub(crate) fn poll_ended(&mut self) {
        *self = Self::Elsewhere;
    }

    /// The consumer's thread hears an event or calls.
    pub(crate) fn running(&mut self) {
        if *self == Self::Polling {
            *self = Self::Running;
        }
    }

    /// Whether events are announced now. If not, the end of the poll phase announces them, and it comes in any case:
    /// a loop that runs callbacks leaves it.
    pub(crate) fn may_announce(self, asker: Asker) -> bool {
        match self {
            Self::Elsewhere => true,
            // The consumer's thread asks only while it runs; for the other the loop may be asleep.
            Self::Polling => asker == Asker::Reactor,
            Self::Running => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_loop_is_told_at_once() {
        let mut phase = Phase::default();
        assert!(phase.may_announce(Asker::Reactor));
        phase.poll_begins();
        assert!(phase.may_announce(Asker::Reactor));
    }

    #[test]
    fn what_happens_while_callbacks_run_waits_for_the_next_turn() {
        let mut phase = Phase::default();
        phase.poll_begins();
        phase.running();
        assert!(!phase.may_announce(Asker::Reactor));
        assert!(!phase.may_announce(Asker::Consumer));
        phase.poll_ended();
        assert!(phase.may_announce(Asker::Reactor));
    }

    #[test]
    fn what_a_callback_has_begun_is_told_in_the_next_turn_even_if_the_callback_was_not_ours() {
        let mut phase = Phase::default();
        phase.poll_begins();
        assert!(!phase.may_announce(Asker::Consumer));
    }

    #[test]
    fn what_the_program_or_an_immediate_has_begun_is_told_in_the_coming_poll() {
        let mut phase = Phase::default();
        assert!(phase.may_announce(Asker::Consumer));
        phase.poll_begins();
        phase.poll_ended();
        assert!(phase.may_announce(Asker::Consumer));
    }

    #[test]
    fn running_outside_of_the_poll_phase_changes_nothing() {
        let mut phase = Phase::default();
        phase.running();
        assert!(phase.may_announce(Asker::Consumer));
    }
}
