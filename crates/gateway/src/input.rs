//! Reading requests: every value bounded, every refusal naming its field.

use std::{collections::HashMap, str::FromStr};

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use bytes::Bytes;
use domain::{ChannelId, JobId};
use serde_json::{Map, Value};

use crate::ApiError;

/// Longest id or other short text, in characters.
pub(crate) const SHORT: usize = 255;

/// A JSON object as a body.
pub(crate) struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.status() {
                    http::StatusCode::PAYLOAD_TOO_LARGE => {
                        ApiError::too_large("the body is larger than 64 KiB")
                    }
                    _ => ApiError::malformed("the body could not be read"),
                }
            })?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(ApiError::not_json()),
        }
    }
}

impl Fields {
    pub(crate) fn text(&self, field: &str) -> Result<String, ApiError> {
        let value = self.optional_text(field)?;
        value.ok_or_else(|| ApiError::invalid(field, format!("{field} is required")))
    }

    pub(crate) fn optional_text(&self, field: &str) -> Result<Option<String>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => checked(field, text).map(Some),
            Some(_) => Err(ApiError::invalid(field, format!("{field} must be a string"))),
        }
    }

    pub(crate) fn flag(&self, field: &str, default: bool) -> Result<bool, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(ApiError::invalid(field, format!("{field} must be true or false"))),
        }
    }

    /// Refuses what is not one of these: a field with a wrong name would be ignored.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => {
                let field: String = field.chars().take(SHORT).collect();
                let known = known.join(", ");
                Err(ApiError::invalid(&field, format!("unknown field: {known} are known")))
            }
            None => Ok(()),
        }
    }

    /// Whether a field says that there is to be nothing.
    pub(crate) fn is_null(&self, field: &str) -> bool {
        self.0.get(field) == Some(&Value::Null)
    }

    /// Whether a field says anything.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn optional_object(
        &self,
        field: &str,
    ) -> Result<Option<&Map<String, Value>>, ApiError> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(ApiError::invalid(field, format!("{field} must be an object"))),
        }
    }

    /// A list of strings, at most so many.
    pub(crate) fn optional_texts(
        &self,
        field: &str,
        most: usize,
    ) -> Result<Option<Vec<String>>, ApiError> {
        let wrong = || {
            ApiError::invalid(field, format!("{field} must be a list of at most {most} strings"))
        };
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(texts)) if texts.len() <= most => {
                let texts = texts.iter().map(|text| text.as_str().map(str::to_owned));
                texts.collect::<Option<Vec<_>>>().map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// A name on a closed list.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        field: &str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        let wrong = |_| ApiError::invalid(field, format!("{field} must be {expected}"));
        self.optional_text(field)?.map(|text| text.parse().map_err(wrong)).transpose()
    }

    pub(crate) fn channel(&self) -> Result<ChannelId, ApiError> {
        self.text("channel_id").map(ChannelId::from)
    }

    /// An id of a job; what cannot be one names no job.
    pub(crate) fn job(&self) -> Result<JobId, ApiError> {
        self.text("job_id")?.parse().map_err(|_| ApiError::not_found("JOB"))
    }
}

fn checked(field: &str, text: &str) -> Result<String, ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::invalid(field, format!("{field} must not be empty")));
    }
    if text.chars().count() > SHORT {
        return Err(ApiError::invalid(field, format!("{field} has more than {SHORT} characters")));
    }
    if text.contains(char::is_control) {
        return Err(ApiError::invalid(field, format!("{field} has control characters")));
    }
    Ok(text.to_owned())
}

/// The parameters behind the question mark.
pub(crate) struct Params(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let params = Query::<HashMap<String, String>>::try_from_uri(&parts.uri);
        let Query(params) =
            params.map_err(|_| ApiError::malformed("the query cannot be understood"))?;
        Ok(Self(params))
    }
}

impl Params {
    /// An empty value is as good as none.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, ApiError> {
        let value = self.0.get(field).filter(|value| !value.is_empty());
        value.map(|value| checked(field, value)).transpose()
    }

    pub(crate) fn required(&self, field: &str) -> Result<String, ApiError> {
        self.text(field)?.ok_or_else(|| ApiError::invalid(field, format!("{field} is required")))
    }

    pub(crate) fn channel(&self) -> Result<ChannelId, ApiError> {
        self.required("channel_id").map(ChannelId::from)
    }

    pub(crate) fn optional_channel(&self) -> Result<Option<ChannelId>, ApiError> {
        Ok(self.text("channel_id")?.map(ChannelId::from))
    }

    /// A value on a closed list, or one of our ids.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        field: &str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        let value = self.text(field)?;
        let parse = |value: String| {
            value
                .parse()
                .map_err(|_| ApiError::invalid(field, format!("{field} must be {expected}")))
        };
        value.map(parse).transpose()
    }

    pub(crate) fn limit(&self, default: u32, most: u32) -> Result<u32, ApiError> {
        let wrong =
            || ApiError::invalid("limit", format!("limit must be a number from 1 to {most}"));
        match self.text("limit")? {
            None => Ok(default),
            Some(text) => {
                text.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(wrong)
            }
        }
    }

    pub(crate) fn time(&self, field: &str) -> Result<Option<domain::Timestamp>, ApiError> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let wrong = |_| {
            ApiError::invalid(field, format!("{field} must be a time such as 2026-04-13T10:30:00Z"))
        };
        serde_json::from_value(Value::String(text)).map(Some).map_err(wrong)
    }
}

/// One id in the path.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = id.map_err(|_| ApiError::malformed("the path cannot be understood"))?;
        checked("id", &id).map(Self)
    }
}

/// Two ids in the path.
pub(crate) struct Ids(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let ids = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((one, other)) =
            ids.map_err(|_| ApiError::malformed("the path cannot be understood"))?;
        Ok(Self(checked("id", &one)?, checked("id", &other)?))
    }
}
