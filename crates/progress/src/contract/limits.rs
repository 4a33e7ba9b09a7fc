//! What is counted together, and what is learned of it.

use std::time::{Duration, Instant};

use crate::{Progress, Rate, Turn};

const HOUR: Duration = Duration::from_secs(60 * 60);
const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn ask(progress: &dyn Progress, name: &str, rate: Rate) -> Turn {
    progress.acquire(name, rate).await.unwrap()
}

/// Asks until a turn is taken.
async fn take(progress: &dyn Progress, name: &str, rate: Rate) -> Turn {
    loop {
        let turn = ask(progress, name, rate).await;
        if turn.wait.is_zero() {
            return turn;
        }
        tokio::time::sleep(turn.wait).await;
    }
}

/// A call that is sent now is answered so at once.
async fn refuse(progress: &dyn Progress, name: &str, pause: Duration, rate: Rate) {
    progress.pause(name, pause, Instant::now(), rate).await.unwrap();
}

/// Of turns that are asked for at the same time, how many were taken.
async fn taken_at_once(progress: &dyn Progress, asked: usize, rate: Rate) -> usize {
    let asks = (0..asked).map(|_| ask(progress, "calls", rate));
    let turns = futures_util::future::join_all(asks).await;
    turns.into_iter().filter(|turn| turn.wait.is_zero()).count()
}

/// Times are counted in microseconds.
fn assert_close(one: Duration, other: Duration) {
    assert!(one.abs_diff(other) <= other / 1_000, "{one:?}, not {other:?}");
}

/// Then the wait is what is left of the time between two turns.
pub async fn a_burst_is_given_and_then_the_rate(progress: &dyn Progress) {
    let rate = Rate::known(HOUR, 3);
    for _ in 0..3 {
        assert!(ask(progress, "calls", rate).await.wait.is_zero());
    }
    for _ in 0..2 {
        let wait = ask(progress, "calls", rate).await.wait;
        assert!(wait > HOUR - Duration::from_secs(60) && wait <= HOUR, "{wait:?}");
    }
    let quick = Rate::known(20 * MILLISECOND, 1);
    let begun = Instant::now();
    for _ in 0..5 {
        take(progress, "quick", quick).await;
    }
    assert!(begun.elapsed() >= quick.every * 4, "{:?}", begun.elapsed());
}

/// One platform's limit is not another's.
pub async fn turns_under_different_names_are_counted_apart(progress: &dyn Progress) {
    let rate = Rate::known(HOUR, 1);
    refuse(progress, "a", HOUR, rate).await;
    assert!(!ask(progress, "a", rate).await.wait.is_zero());
    assert!(ask(progress, "b", rate).await.wait.is_zero());
}

/// Whoever asks at the same time is counted together.
pub async fn of_many_at_once_no_more_than_the_burst_get_a_turn(progress: &dyn Progress) {
    assert_eq!(taken_at_once(progress, 40, Rate::known(HOUR, 5)).await, 5);
}

/// Of thirty-two workers that hear "wait a minute" nobody waits for half an hour.
pub async fn pauses_are_not_added_up(progress: &dyn Progress) {
    let rate = Rate::known(MILLISECOND, 1);
    for _ in 0..32 {
        refuse(progress, "calls", 60 * SECOND, rate).await;
    }
    refuse(progress, "calls", MILLISECOND, rate).await;
    let wait = ask(progress, "calls", rate).await.wait;
    assert!(wait > 30 * SECOND && wait <= 60 * SECOND, "{wait:?}");
}

/// What was saved up before is not given out the moment a pause ends.
pub async fn no_burst_follows_a_pause(progress: &dyn Progress) {
    let rate = Rate::known(HOUR, 10);
    let begun = Instant::now();
    refuse(progress, "calls", 50 * MILLISECOND, rate).await;
    assert!(ask(progress, "calls", rate).await.wait <= 50 * MILLISECOND);
    take(progress, "calls", rate).await;
    assert!(begun.elapsed() >= 40 * MILLISECOND);
    assert!(!ask(progress, "calls", rate).await.wait.is_zero());
}

/// What a platform has told about itself is not for us to change.
pub async fn a_known_rate_stays_what_it_is(progress: &dyn Progress) {
    let rate = Rate::known(MILLISECOND, 3);
    assert_eq!(take(progress, "calls", rate).await.every, rate.every);
    refuse(progress, "calls", MILLISECOND, rate).await;
    assert_eq!(take(progress, "calls", rate).await.every, rate.every);
    let other = Rate::known(HOUR, 1);
    assert_eq!(ask(progress, "calls", other).await.every, other.every, "told anew");
}

/// Calls that are on their way when the first is refused are refused too: of the same rate.
pub async fn a_pause_halves_a_learned_rate_once_for_all_calls_sent_before(progress: &dyn Progress) {
    let rate = Rate { slowest: HOUR, ..Rate::known(10 * MILLISECOND, 1) };
    let before = Instant::now();
    for _ in 0..5 {
        refuse(progress, "calls", 50 * MILLISECOND, rate).await;
    }
    assert_close(ask(progress, "calls", rate).await.every, 2 * rate.every);
    let halved = take(progress, "calls", rate).await.every;
    progress.pause("calls", 50 * MILLISECOND, before, rate).await.unwrap();
    assert_close(ask(progress, "calls", rate).await.every, halved);
    let now = take(progress, "calls", rate).await.every;
    refuse(progress, "calls", SECOND, rate).await;
    assert_close(ask(progress, "calls", rate).await.every, 2 * now);
}

/// However long nobody has called.
pub async fn turns_are_given_one_by_one_while_the_rate_is_slower_than_at_first(
    progress: &dyn Progress,
) {
    let rate = Rate { slowest: HOUR, ..Rate::known(50 * MILLISECOND, 10) };
    assert_eq!(taken_at_once(progress, 10, rate).await, 10);
    refuse(progress, "calls", MILLISECOND, rate).await;
    let every = take(progress, "calls", rate).await.every;
    tokio::time::sleep(12 * every).await;
    let taken = taken_at_once(progress, 10, rate).await;
    assert!((1..=3).contains(&taken), "{taken} at once");
}

/// Each turn is a little sooner than the one before.
pub async fn what_a_rate_lost_is_won_back_within_bounds(progress: &dyn Progress) {
    let rate = Rate { every: 4 * MILLISECOND, burst: 1, fastest: MILLISECOND, slowest: SECOND };
    for _ in 0..10 {
        take(progress, "calls", rate).await;
        refuse(progress, "calls", MILLISECOND, rate).await;
    }
    let wait = ask(progress, "calls", rate).await;
    assert!(wait.every > SECOND / 2 && wait.every <= SECOND, "{wait:?}");
    // In seconds it would take minutes.
    let rate = Rate { slowest: 8 * MILLISECOND, ..rate };
    let mut last = take(progress, "calls", rate).await.every;
    assert!(last > 7 * MILLISECOND, "{last:?}");
    for _ in 0..500 {
        let every = take(progress, "calls", rate).await.every;
        assert!(every < last || every == rate.fastest, "{every:?} after {last:?}");
        last = every;
    }
    assert_eq!(last, rate.fastest);
}
