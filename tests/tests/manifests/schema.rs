//! Documents against types: what a type does not have, or has to have, or has otherwise.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What is wrong with a document as one of this type. What the type gives back after it has taken the
/// document has to be the same: it drops what it does not know, and fills in what it cannot be without.
pub(crate) fn faults_as<T: DeserializeOwned + Serialize>(document: &Value) -> Vec<String> {
    let taken = match serde_json::from_value::<T>(document.clone()) {
        Ok(taken) => serde_json::to_value(taken).unwrap(),
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Vec::new();
    compare(document, &taken, "", &mut faults);
    faults
}

fn compare(said: &Value, taken: &Value, at: &str, faults: &mut Vec<String>) {
    match (said, taken) {
        (Value::Object(said), Value::Object(taken)) => {
            for (key, value) in said {
                match taken.get(key) {
                    Some(taken) => compare(value, taken, &format!("{at}.{key}"), faults),
                    None => faults.push(format!("{}.{key} is unknown", at.trim_start_matches('.'))),
                }
            }
            for key in taken.keys().filter(|key| !said.contains_key(*key)) {
                faults.push(format!("{}.{key} is missing", at.trim_start_matches('.')));
            }
        }
        (Value::Array(said), Value::Array(taken)) if said.len() == taken.len() => {
            for (n, (said, taken)) in said.iter().zip(taken).enumerate() {
                compare(said, taken, &format!("{at}[{n}]"), faults);
            }
        }
        // Nothing said is as good as no fields.
        (Value::Null, Value::Object(fields)) if fields.is_empty() => {}
        _ if said != taken => faults.push(format!("{at} is {said}, and understood as {taken}")),
        _ => {}
    }
}
