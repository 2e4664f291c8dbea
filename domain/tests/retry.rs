//! When a deferred mail is tried again.

use std::time::Duration;

use domain::RetryPolicy;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

const MINUTES: [u64; 9] = [1, 5, 15, 30, 60, 120, 240, 480, 720];

proptest! {
    #[test]
    fn every_pause_stays_within_a_fifth_of_its_step(attempts in 0_u32.., seed: u64) {
        let pause = RetryPolicy::default().pause_after(attempts, &mut StdRng::seed_from_u64(seed));
        let step = usize::try_from(attempts.saturating_sub(1)).unwrap().min(MINUTES.len() - 1);
        let nominal = Duration::from_secs(60 * MINUTES[step]);
        prop_assert!(pause >= nominal.mul_f64(0.799_999), "{pause:?} after attempt {attempts}");
        prop_assert!(pause <= nominal.mul_f64(1.200_001), "{pause:?} after attempt {attempts}");
    }

    #[test]
    fn the_same_generator_gives_the_same_pause(attempts in 1_u32..20, seed: u64) {
        let pause = || RetryPolicy::default().pause_after(attempts, &mut StdRng::seed_from_u64(seed));
        prop_assert_eq!(pause(), pause());
    }
}

#[test]
fn pauses_spread_over_the_whole_range() {
    let mut rng = StdRng::seed_from_u64(1);
    let policy = RetryPolicy::default();
    let pauses: Vec<_> = (0..1000).map(|_| policy.pause_after(1, &mut rng).as_secs_f64()).collect();
    assert!(pauses.iter().any(|s| *s < 50.0), "some come early");
    assert!(pauses.iter().any(|s| *s > 70.0), "some come late");
}

#[test]
fn a_policy_without_pauses_still_waits() {
    let policy = RetryPolicy { pauses: Vec::new(), ..RetryPolicy::default() };
    let pause = policy.pause_after(1, &mut StdRng::seed_from_u64(1));
    assert!(pause >= Duration::from_secs(48), "{pause:?} would hammer the server");
}

#[test]
fn the_schedule_outlasts_its_patience_only_by_the_last_step() {
    let policy = RetryPolicy::default();
    let listed: Duration = policy.pauses.iter().sum();
    assert!(listed < policy.give_up_after, "every listed pause is used");
}
