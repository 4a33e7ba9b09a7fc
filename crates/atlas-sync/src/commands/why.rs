//! Why a sync stands where it stands.

use serde_json::Value;

use super::{CliError, Shared, connect::connect};
use crate::output::{self, say};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The sync.
    job: String,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let found = connection.client.get("/api/sync/why", &[("job_id", &args.job)]).await;
    connection.close().await;
    let told = found?;
    if shared.json {
        return output::json(&told);
    }
    say!("{}", output::plain(&told["summary"]));
    let row = |event: &Value| {
        let place = match (event["stage"].as_str(), event["seq"].as_i64()) {
            (Some(stage), Some(seq)) => format!("{stage}/{seq}"),
            (Some(stage), None) => stage.to_owned(),
            _ => "-".to_owned(),
        };
        let plain = |field: &str| output::plain(&event[field]);
        vec![plain("at"), place, plain("kind"), plain("message")]
    };
    let events = told["events"].as_array().cloned().unwrap_or_default();
    output::table(&["when", "where", "what", "in words"], events.iter().map(row));
    if told["events_left_out"] == true {
        say!("Events in the middle may be missing: the first and the newest are kept.");
    }
    Ok(())
}
