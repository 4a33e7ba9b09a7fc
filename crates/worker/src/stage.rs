//! What a stage crate brings.

use async_trait::async_trait;
use domain::{Failure, task::ClaimedTask};
use store::Effect;

use crate::Context;

/// One stage of the pipeline: from a claimed task to its effect. Everything else (claiming, telling
/// that it lives, stopping, retrying, writing) is the runner's.
#[async_trait]
pub trait Stage: Send + Sync + 'static {
    /// Which one it is.
    fn stage(&self) -> domain::Stage;

    /// Works on a task and answers with the effect that ends it. The future is dropped when the job is
    /// cancelled or the claim lost; a computation off the async threads looks at [`Context::stop`].
    async fn run(&self, task: &ClaimedTask, context: &Context) -> Result<Effect, Failure>;
}
