//! Compose files: against the types of the specification, and against the settings of the programs.

use std::collections::BTreeMap;

use docker_compose_types::Compose;
use serde_json::Value;
use service::Role;

use crate::{
    documents,
    references::{GOODBYE, configured},
    schema::faults_as,
};

/// What is wrong with a file, where no variable is set.
pub(crate) fn faults(text: &str) -> Vec<String> {
    let mut file = documents(text).remove(0);
    let mut faults = Vec::new();
    interpolate(&mut file, &mut faults);
    faults.extend(faults_as::<Compose>(&file));
    let services = file["services"].as_object().cloned().unwrap_or_default();
    for (name, service) in &services {
        let mut found = Vec::new();
        for needed in service["depends_on"].as_object().into_iter().flatten().map(|(name, _)| name)
        {
            if !services.contains_key(needed) {
                found.push(format!("depends on {needed}, which is not there"));
            }
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let volume =
                volume.as_str().and_then(|text| text.split(':').next()).unwrap_or_default();
            if !volume.starts_with(['.', '/']) && file["volumes"].get(volume).is_none() {
                found.push(format!("there is no volume {volume}"));
            }
        }
        for secret in service["secrets"].as_array().into_iter().flatten().filter_map(Value::as_str)
        {
            if file["secrets"].get(secret).is_none() {
                found.push(format!("there is no secret {secret}"));
            }
        }
        if name.parse::<Role>().is_ok() {
            settings(service, &mut found);
        }
        faults.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    faults
}

/// Whether a program starts with what its container is told, and is given the time to end.
fn settings(service: &Value, faults: &mut Vec<String>) {
    let told = service["environment"].as_object().into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let told: BTreeMap<_, _> = told.map(|(name, value)| (name.clone(), text(value))).collect();
    match configured(&told) {
        Err(error) => faults.push(error.to_string()),
        Ok(config) => {
            let given =
                service["stop_grace_period"].as_str().and_then(|text| text.strip_suffix('s'));
            let given: u64 = given.and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
            if given <= config.grace.as_secs() + GOODBYE {
                faults.push(format!(
                    "is killed before {} s of grace are over",
                    config.grace.as_secs()
                ));
            }
        }
    }
}

/// Puts the defaults of variables in their place; one with neither a default nor a demand is a fault.
fn interpolate(value: &mut Value, faults: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| interpolate(field, faults)),
        Value::Array(list) => list.iter_mut().for_each(|one| interpolate(one, faults)),
        Value::String(text) => {
            let mut parts = text.split("${").map(str::to_owned).collect::<Vec<_>>().into_iter();
            *text = parts.next().unwrap_or_default();
            for part in parts {
                let (variable, rest) = part.split_once('}').unwrap_or((&part, ""));
                match (variable.split_once(":-"), variable.split_once(":?")) {
                    (Some((_, default)), _) => text.push_str(default),
                    (None, Some(_)) => text.push_str("given"),
                    (None, None) => faults.push(format!("{variable} has no default")),
                }
                text.push_str(rest);
            }
        }
        _ => {}
    }
}
