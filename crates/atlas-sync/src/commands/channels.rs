//! Listing channels.

use serde_json::{Value, json};

use super::{CliError, Shared, connect::connect};
use crate::output::{self, say};

pub(super) async fn run(shared: &Shared) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let channels = connection.client.all("/api/channels", &[], "channels").await;
    connection.close().await;
    let channels = channels?;
    if shared.json {
        return output::json(&json!({ "channels": channels }));
    }
    if channels.is_empty() {
        say!(
            "No channels yet: bring some in with `atlas-sync connections add` or `atlas-sync import FILE.zip`."
        );
        return Ok(());
    }
    let row = |channel: &Value| {
        [
            "id",
            "name",
            "connected",
            "message_count",
            "fact_count",
            "entity_count",
            "wiki_page_count",
            "last_sync",
        ]
        .map(|field| output::plain(&channel[field]))
        .to_vec()
    };
    let head = ["id", "name", "connected", "messages", "facts", "entities", "pages", "last sync"];
    output::table(&head, channels.iter().map(row));
    Ok(())
}
