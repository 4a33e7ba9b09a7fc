//! Why a job stands where it stands.

mod summary;

use domain::{JobEvent, Stage, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use store::Explanation;
use utoipa::ToSchema;

/// A job's life, and a sentence about where it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Why {
    job_id: String,
    /// Where it stands now and, if it does not move, what it waits for.
    summary: String,
    /// What happened to it, oldest first.
    events: Vec<Event>,
    /// Whether events in the middle may be missing: a job keeps its first and its newest.
    events_left_out: bool,
}

/// Something that happened to a job.
#[derive(Serialize, ToSchema)]
struct Event {
    #[schema(value_type = String)]
    at: Timestamp,
    /// Null for the job as a whole.
    #[schema(value_type = Option<String>)]
    stage: Option<Stage>,
    /// The task within the stage; null for the stage or the job as a whole.
    seq: Option<i64>,
    kind: String,
    message: String,
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

impl From<Explanation> for Why {
    fn from(told: Explanation) -> Self {
        Self {
            job_id: told.job.id.to_string(),
            summary: summary::of(&told),
            events: told.events.iter().map(Event::from).collect(),
            events_left_out: told.left_out,
        }
    }
}

impl From<&JobEvent> for Event {
    fn from(event: &JobEvent) -> Self {
        let JobEvent { at, stage, seq, happening } = event;
        let mut details = match serde_json::to_value(happening) {
            Ok(Value::Object(details)) => details,
            _ => Map::new(),
        };
        let kind = match details.remove("kind") {
            Some(Value::String(kind)) => kind,
            _ => "unknown".to_owned(),
        };
        Self { at: *at, stage: *stage, seq: *seq, kind, message: happening.to_string(), details }
    }
}
