//! What doubles are asked and answer, as JSON. Of errors, those that scenarios script.

use std::time::Duration;

use connectors::{ConnectorError, Next, Page};
use domain::{conversation::Conversation, fact::Extraction};
use extraction::ExtractionError;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

pub(super) fn conversations(conversations: &[Conversation]) -> Value {
    let each = conversations.iter().map(|conversation| {
        let Conversation { channel_id, scope, unit_id, root, context, messages } = conversation;
        json!([channel_id, scope, unit_id, root, context, messages])
    });
    each.collect()
}

pub(super) fn read_conversations(value: &Value) -> Vec<Conversation> {
    let each = value.as_array().unwrap().iter().map(|fields| Conversation {
        channel_id: read(&fields[0]),
        scope: read(&fields[1]),
        unit_id: read(&fields[2]),
        root: read(&fields[3]),
        context: read(&fields[4]),
        messages: read(&fields[5]),
    });
    each.collect()
}

pub(super) fn extractions(answer: Result<Vec<Extraction>, ExtractionError>) -> Value {
    match answer {
        Ok(extractions) => json!({ "ok": extractions }),
        Err(ExtractionError::Failed(why)) => json!({ "failed": why }),
        Err(error) => json!({ "failed": error.to_string() }),
    }
}

pub(super) fn read_extractions(value: &Value) -> Result<Vec<Extraction>, ExtractionError> {
    match value["failed"].as_str() {
        Some(why) => Err(ExtractionError::Failed(why.to_owned())),
        None => Ok(read(&value["ok"])),
    }
}

pub(super) fn estimate(answer: Result<Option<u64>, ConnectorError>) -> Value {
    answer.map_or_else(|error| refusal(&error), |estimate| json!({ "ok": estimate }))
}

pub(super) fn read_estimate(value: &Value) -> Result<Option<u64>, ConnectorError> {
    read_refusal(value)?;
    Ok(read(&value["ok"]))
}

pub(super) fn page(answer: Result<Page, ConnectorError>) -> Value {
    let page = match answer {
        Ok(page) => page,
        Err(error) => return refusal(&error),
    };
    assert!(page.marks.is_empty() && page.sightings.is_empty() && page.walked.is_empty());
    let next = match page.next {
        Next::Cursor(cursor) => json!({ "cursor": cursor }),
        Next::End(watermark) => json!({ "end": watermark }),
    };
    json!({"messages": page.messages, "estimate": page.estimate, "next": next})
}

pub(super) fn read_page(value: &Value) -> Result<Page, ConnectorError> {
    read_refusal(value)?;
    let next = match value["next"]["cursor"].as_str() {
        Some(cursor) => Next::Cursor(cursor.to_owned()),
        None => Next::End(read(&value["next"]["end"])),
    };
    let page = Page::new(read(&value["messages"]), next);
    Ok(Page { estimate: read(&value["estimate"]), ..page })
}

fn refusal(error: &ConnectorError) -> Value {
    match error {
        ConnectorError::Auth(why) => json!({ "auth": why }),
        ConnectorError::Platform(why) => json!({ "platform": why }),
        ConnectorError::RateLimit { retry_after } => {
            json!({ "limited": u64::try_from(retry_after.as_millis()).unwrap() })
        }
        other => json!({ "platform": other.to_string() }),
    }
}

fn read_refusal(value: &Value) -> Result<(), ConnectorError> {
    if let Some(why) = value["auth"].as_str() {
        return Err(ConnectorError::Auth(why.to_owned()));
    }
    if let Some(why) = value["platform"].as_str() {
        return Err(ConnectorError::Platform(why.to_owned()));
    }
    match value["limited"].as_u64() {
        Some(ms) => Err(ConnectorError::RateLimit { retry_after: Duration::from_millis(ms) }),
        None => Ok(()),
    }
}
