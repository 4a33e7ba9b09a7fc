//! What replies look like: the contract's objects, field by field.

pub(crate) mod channels;
pub(crate) mod connections;
pub(crate) mod failures;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod knowledge;
pub(crate) mod schedules;
pub(crate) mod why;
pub(crate) mod wiki;

use domain::{UserId, fact::Person};
use serde::Serialize;
use utoipa::ToSchema;

/// Somebody.
#[derive(Serialize, ToSchema)]
pub(crate) struct Author {
    /// The platform's id; none for a name that could not be resolved.
    id: Option<String>,
    /// The name to show.
    name: String,
}

impl From<&Person> for Author {
    fn from(person: &Person) -> Self {
        let id = person.id.as_ref().map(UserId::as_str).map(str::to_owned);
        Self { id, name: person.name.clone() }
    }
}
