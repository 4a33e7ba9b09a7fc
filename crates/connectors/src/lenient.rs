//! Reading what platforms write: a field of another type than it should have is a field that is missing.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

/// Declares what a platform writes: every field may be missing, or be another than it should be.
macro_rules! raw {
    ($(#[$about:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        #[derive(Debug, Clone, Default, serde::Deserialize)]
        #[serde(default)]
        $(#[$about])*
        pub(super) struct $name {
            $(
                #[serde(deserialize_with = "crate::lenient::or_default")]
                pub(super) $field: $kind,
            )*
        }
    };
}
pub(crate) use raw;

/// Reads a field; what is not understood (`null` as well) is the default.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(T::deserialize(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// Reads a list; entries that are not understood are left out. Of a page it is most of the work: every entry is
/// read where it stands, and not by way of a tree of all.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let entries = Box::<RawValue>::deserialize(deserializer)?;
    let entries: Vec<&RawValue> = serde_json::from_str(entries.get()).unwrap_or_default();
    Ok(entries.into_iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect())
}

/// Whatever a platform might write.
#[cfg(test)]
pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[<@#:>&;t0-9/`\\[\\]()a-z]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| Value::from(serde_json::Map::from_iter(map))),
        ]
    })
}
