use std::time::Duration;

use ferronet_core::backoff::Backoff;
use proptest::prelude::*;

proptest! {
    #[test]
    fn pauses_double_up_to_the_longest_and_start_again_after_a_success(
        tries in prop::collection::vec(prop::bool::weighted(0.8), 1..crate::steps(60)),
    ) {
        let mut backoff = Backoff::default();
        let mut failures = 0;
        for failed in tries {
            if failed {
                let expected = Duration::from_millis(1 << failures.min(7));
                prop_assert_eq!(backoff.fail(), expected);
                failures += 1;
            } else {
                backoff.reset();
                failures = 0;
            }
        }
    }
}
