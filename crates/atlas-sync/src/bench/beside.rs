//! Small channels while a large one is at work, on a server that runs already.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::{jobs, rounded};
use crate::{client::Client, commands::CliError};

/// Small channels, one after the other.
const SMALL: usize = 10;

/// Messages of a small channel.
const MESSAGES: usize = 20;

/// Syncs small channels while one of so many messages is at work, then cancels that one.
pub(crate) async fn measure(client: &Client, large: usize) -> Result<Value, CliError> {
    let mut sizes = vec![MESSAGES; SMALL + 1];
    sizes[0] = large;
    let channels = jobs::import(client, &sizes).await?;
    let Some((large_channel, small)) = channels.split_first() else {
        return Err(CliError::failed("the load has no channels"));
    };
    let large_job = jobs::trigger(client, large_channel).await?;
    let mut status = json!({});
    while status["progress"]["processed_messages"].as_u64().unwrap_or(0) == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let query = [("channel_id", large_channel.as_str()), ("job_id", large_job.as_str())];
        status = client.get("/api/sync/status", &query).await?;
        if status["completed_at"].is_string() {
            return Err(CliError::failed("the large channel was through before any small one"));
        }
    }
    let mut seconds = Vec::new();
    for channel in small {
        let begun = Instant::now();
        let job = jobs::trigger(client, channel).await?;
        client.follow(channel, &job, |_| {}).await?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    // Refused when it has ended meanwhile: then the small ones had no company.
    client.send_json(Method::POST, "/api/sync/cancel", &json!({"job_id": large_job})).await?;
    Ok(json!({
        "messages_of_the_large_channel": large,
        "longest_seconds_of_a_small_one": rounded(seconds.iter().copied().fold(0.0, f64::max)),
    }))
}
