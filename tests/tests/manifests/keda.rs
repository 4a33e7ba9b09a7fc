//! KEDA's objects, as far as its documentation (2.17) tells of them and the base uses them: it publishes no
//! types for Rust.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a Deployment is scaled.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ScaledObject {
    api_version: String,
    kind: String,
    metadata: Value,
    spec: Scaling,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Scaling {
    scale_target_ref: Named,
    min_replica_count: u32,
    max_replica_count: u32,
    cooldown_period: u32,
    triggers: Vec<Trigger>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Trigger {
    r#type: Kind,
    metadata: RabbitQueue,
    authentication_ref: Named,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Rabbitmq,
}

/// A trigger's metadata: of any kind, but always text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RabbitQueue {
    protocol: String,
    mode: Mode,
    queue_name: String,
    value: String,
    exclude_unacknowledged: String,
}

#[derive(Serialize, Deserialize)]
enum Mode {
    QueueLength,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

/// Where a trigger has its secrets from.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TriggerAuthentication {
    api_version: String,
    kind: String,
    metadata: Value,
    spec: Authentication,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Authentication {
    secret_target_ref: Vec<BTreeMap<SecretPart, String>>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
enum SecretPart {
    Parameter,
    Name,
    Key,
}
