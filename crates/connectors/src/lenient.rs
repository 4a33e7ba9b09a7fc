//! Reading what platforms write: a field of another type than it should have is a field that is missing.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};
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

/// Reads a text where it stands; by itself an optional one is always copied.
pub(crate) fn text<'de, D>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error>
where
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    struct Borrowed<'j>(#[serde(borrow)] Cow<'j, str>);
    Ok(Option::<Borrowed<'de>>::deserialize(deserializer)?.map(|text| text.0))
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

/// A sort of value that is wanted; of all others nothing is read.
trait Sort<'de>: Sized {
    type Read: Default;

    fn of_map<A: MapAccess<'de>>(mut map: A) -> Result<Self::Read, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Read::default())
    }

    fn of_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self::Read, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Read::default())
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Sort<'de> for Fields<T> {
    type Read = T;

    fn of_map<A: MapAccess<'de>>(map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

struct Entries;

impl<'de> Sort<'de> for Entries {
    type Read = Vec<&'de RawValue>;

    fn of_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self::Read, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

struct Only<S>(PhantomData<S>);

impl<'de, S: Sort<'de>> Visitor<'de> for Only<S> {
    type Value = S::Read;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<S::Read, E> {
        Ok(S::Read::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<S::Read, E> {
        Ok(S::Read::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<S::Read, E> {
        Ok(S::Read::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<S::Read, E> {
        Ok(S::Read::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<S::Read, E> {
        Ok(S::Read::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<S::Read, E> {
        Ok(S::Read::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S::Read, A::Error> {
        S::of_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<S::Read, A::Error> {
        S::of_seq(seq)
    }
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
