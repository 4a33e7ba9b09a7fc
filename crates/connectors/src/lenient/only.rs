//! Reading values of one sort.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize,
    de::{
        DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};
use serde_json::value::RawValue;

/// A sort of value that is wanted; of all others nothing is read.
pub(super) trait Sort<'de>: Sized {
    type Read: Default;

    fn of_text(_: Cow<'de, str>) -> Self::Read {
        Self::Read::default()
    }

    fn of_map<A: MapAccess<'de>>(mut map: A) -> Result<Self::Read, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Read::default())
    }

    fn of_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self::Read, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Read::default())
    }
}

pub(super) struct Words;

impl<'de> Sort<'de> for Words {
    type Read = Cow<'de, str>;

    fn of_text(text: Cow<'de, str>) -> Cow<'de, str> {
        text
    }
}

pub(super) struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Sort<'de> for Fields<T> {
    type Read = T;

    fn of_map<A: MapAccess<'de>>(map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

pub(super) struct Understood<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Sort<'de> for Understood<T> {
    type Read = Vec<T>;

    fn of_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut understood = Vec::new();
        while let Some(entry) = seq.next_element::<Box<RawValue>>()? {
            understood.extend(serde_json::from_str(entry.get()).ok());
        }
        Ok(understood)
    }
}

pub(super) struct Entries;

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

pub(super) struct Only<S>(pub(super) PhantomData<S>);

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

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<S::Read, E> {
        Ok(S::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<S::Read, E> {
        Ok(S::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S::Read, A::Error> {
        S::of_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<S::Read, A::Error> {
        S::of_seq(seq)
    }
}
