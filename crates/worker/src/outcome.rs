//! What follows from a failure.

use std::time::Duration;

use domain::{
    ErrorCode, Failure, Retry,
    backoff::{self, Budget},
    task::ClaimedTask,
};
use store::Effect;

/// Another attempt after a wait, or none. A rate limit is not the task's fault and uses no attempt up.
pub(crate) fn of_failure(
    failure: &Failure,
    task: &ClaimedTask,
    budget: &Budget,
    random: f64,
) -> Effect {
    let error = failure.error.clone();
    let uses_attempt = error.code != ErrorCode::RateLimit;
    let delay = match failure.retry {
        Retry::Never => return Effect::GiveUp { error },
        Retry::After(asked) => backoff::bounded(asked),
        Retry::Backoff => budget.delay(task.attempt, random),
    };
    if uses_attempt && task.attempt >= budget.attempts {
        return Effect::GiveUp { error };
    }
    // A full-jitter wait may be none at all, which would keep a broken task busy.
    Effect::Retry { error, delay: delay.max(Duration::from_millis(50)), uses_attempt }
}

#[cfg(test)]
mod tests {
    use domain::{
        ClaimToken, JobId, Stage, SyncError, TaskRef,
        task::{Claim, TaskInput},
    };

    use super::*;

    fn task(attempt: u32) -> ClaimedTask {
        let task = TaskRef { job_id: JobId::random(), stage: Stage::GeneratingWiki, seq: 1 };
        ClaimedTask {
            claim: Claim { task, token: ClaimToken::random() },
            channel_id: "C1".into(),
            input: TaskInput::Wiki,
            attempt,
            crashes: 0,
            force: false,
            waited: Duration::ZERO,
            trace: None,
        }
    }

    fn failure(code: ErrorCode, retry: Retry) -> Failure {
        Failure { error: SyncError::new(code, "no"), retry, cause: None }
    }

    fn try_again(failure: &Failure, task: &ClaimedTask, random: f64) -> Effect {
        of_failure(failure, task, &Budget::default(), random)
    }

    #[test]
    fn the_fifth_attempt_is_the_last() {
        let broken = failure(ErrorCode::PlatformError, Retry::Backoff);
        assert!(matches!(
            try_again(&broken, &task(4), 1.0),
            Effect::Retry { uses_attempt: true, delay, .. } if delay == Duration::from_secs(8)
        ));
        assert!(matches!(try_again(&broken, &task(5), 1.0), Effect::GiveUp { .. }));
    }

    #[test]
    fn a_budget_of_its_own_is_kept() {
        let broken = failure(ErrorCode::PlatformError, Retry::Backoff);
        let short = Budget { attempts: 2, base: Duration::from_millis(200), ..Budget::default() };
        assert!(matches!(
            of_failure(&broken, &task(1), &short, 1.0),
            Effect::Retry { delay, .. } if delay == Duration::from_millis(200)
        ));
        assert!(matches!(of_failure(&broken, &task(2), &short, 1.0), Effect::GiveUp { .. }));
    }

    #[test]
    fn a_rate_limit_uses_no_attempt_up_and_waits_as_long_as_asked() {
        let limited = failure(ErrorCode::RateLimit, Retry::After(Duration::from_secs(60)));
        assert!(matches!(
            try_again(&limited, &task(9), 0.5),
            Effect::Retry { uses_attempt: false, delay, .. } if delay == Duration::from_secs(60)
        ));
    }

    #[test]
    fn what_cannot_be_retried_is_given_up_at_once() {
        let refused = failure(ErrorCode::AuthError, Retry::Never);
        assert!(matches!(try_again(&refused, &task(1), 0.5), Effect::GiveUp { .. }));
    }
}
