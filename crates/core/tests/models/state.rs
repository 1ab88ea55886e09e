use ferronet_core::state::{Reading, Shutdown, Writing};
use proptest::prelude::*;

const READING: [Reading; 4] = [Reading::Paused, Reading::Flowing, Reading::Ended, Reading::Closed];
const WRITING: [Writing; 6] = [
    Writing::Connecting,
    Writing::Open,
    Writing::Draining,
    Writing::ShutDown,
    Writing::Lingering,
    Writing::Closed,
];

/// What `change` makes of each state that it changes; the others stay as they are.
fn check_reading(change: impl Fn(&mut Reading), changed: &[(Reading, Reading)]) {
    for before in READING {
        let mut after = before;
        change(&mut after);
        let expected = changed.iter().find(|(from, _)| *from == before);
        assert_eq!(after, expected.map_or(before, |(_, to)| *to), "of {before:?}");
    }
}

fn check_writing(change: impl Fn(&mut Writing), changed: &[(Writing, Writing)]) {
    for before in WRITING {
        let mut after = before;
        change(&mut after);
        let expected = changed.iter().find(|(from, _)| *from == before);
        assert_eq!(after, expected.map_or(before, |(_, to)| *to), "of {before:?}");
    }
}

#[test]
fn the_reading_half_changes_by_its_table_only() {
    use Reading::{Closed, Ended, Flowing, Paused};
    check_reading(
        |reading| {
            reading.start();
        },
        &[(Paused, Flowing)],
    );
    check_reading(Reading::stop, &[(Flowing, Paused)]);
    check_reading(Reading::end, &[(Flowing, Ended)]);
    check_reading(Reading::close, &READING.map(|state| (state, Closed)));
    for mut reading in READING {
        assert_eq!(reading.start(), reading == Flowing);
    }
}

#[test]
fn the_writing_half_changes_by_its_table_only() {
    use Writing::{Closed, Connecting, Draining, Lingering, Open, ShutDown};
    check_writing(|writing| writing.connect_ended(true), &[(Connecting, Open)]);
    check_writing(|writing| writing.connect_ended(false), &[(Connecting, Closed)]);
    check_writing(
        |writing| {
            writing.shutdown(true);
        },
        &[(Open, ShutDown)],
    );
    check_writing(
        |writing| {
            writing.shutdown(false);
        },
        &[(Open, Draining)],
    );
    check_writing(
        |writing| {
            writing.drained();
        },
        &[(Draining, ShutDown)],
    );
    check_writing(
        |writing| {
            writing.linger();
        },
        &[(Open, Lingering), (Draining, Lingering)],
    );
    check_writing(Writing::close, &WRITING.map(|state| (state, Closed)));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    ConnectEnded(bool),
    Shutdown(bool),
    Drained,
    Linger,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<bool>().prop_map(Step::ConnectEnded),
        any::<bool>().prop_map(Step::Shutdown),
        Just(Step::Drained),
        Just(Step::Linger),
        Just(Step::Close),
    ]
}

proptest! {
    #[test]
    fn fin_is_sent_once_at_most_and_no_byte_after_it(steps in prop::collection::vec(step(), 1..crate::steps(12))) {
        let mut writing = Writing::Connecting;
        // That the half was asked to end, that FIN was sent, and that it was closed.
        let (mut asked, mut sent, mut closed) = (false, false, false);
        for step in steps {
            let sends_fin = match step {
                Step::ConnectEnded(connected) => {
                    closed |= !connected && writing == Writing::Connecting;
                    writing.connect_ended(connected);
                    false
                }
                Step::Shutdown(queue_is_empty) => {
                    let answer = writing.shutdown(queue_is_empty);
                    prop_assert!(answer == Shutdown::Refused || !asked, "it is accepted once");
                    asked |= answer != Shutdown::Refused;
                    answer == Shutdown::Now
                }
                Step::Drained => writing.drained(),
                Step::Linger => {
                    closed |= writing.linger();
                    false
                }
                Step::Close => {
                    writing.close();
                    closed = true;
                    false
                }
            };
            prop_assert!(!sends_fin || (asked && !sent && !closed));
            sent |= sends_fin;
            prop_assert!(!writing.accepts_writes() || (!asked && !closed));
            prop_assert!(!writing.sends() || !sent);
            prop_assert!(!writing.sends() || !closed || writing == Writing::Lingering);
        }
    }
}
