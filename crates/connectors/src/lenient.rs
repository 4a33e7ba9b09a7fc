//! Reading what platforms write: a field of another type than it should have is a field that is missing.

mod only;

use std::{borrow::Cow, marker::PhantomData};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use self::only::{Entries, Fields, Only, Understood, Words};

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

/// Reads a text where it stands; by itself an optional one is always copied.
pub(crate) fn text<'de, D>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Borrowed<'j>(#[serde(borrow)] Cow<'j, str>);
    Ok(Option::<Borrowed<'de>>::deserialize(deserializer)?.map(|text| text.0))
}

/// Reads a text where it stands; what is none is empty.
pub(crate) fn words<'de, D>(deserializer: D) -> Result<Cow<'de, str>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(Only(PhantomData::<Words>))
}

/// Reads a list; entries that are not understood are left out. Of a page it is most of the work: every entry is
/// read by itself, and not by way of a tree of all.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    deserializer.deserialize_any(Only(PhantomData::<Understood<T>>))
}

/// Reads an object whose every field is read leniently, where it stands; what is none is the default.
pub(crate) fn fields<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    deserializer.deserialize_any(Only(PhantomData::<Fields<T>>))
}

/// Reads a list up to its entries, which are still to be read; what is none has none.
pub(crate) fn entries<'de, D>(deserializer: D) -> Result<Vec<&'de RawValue>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(Only(PhantomData::<Entries>))
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
