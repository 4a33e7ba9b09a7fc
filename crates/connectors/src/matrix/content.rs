//! What an event says: JSON of which few fields are looked at. A page has a thousand of it, so it is kept small:
//! in lists, and with names that are not written out again.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// Names that most events have.
const KNOWN: &[&str] = &[
    "body",
    "msgtype",
    "format",
    "formatted_body",
    "m.relates_to",
    "rel_type",
    "event_id",
    "key",
    "m.in_reply_to",
    "is_falling_back",
    "m.mentions",
    "user_ids",
    "m.new_content",
    "info",
    "mimetype",
    "size",
    "url",
];

/// The fields of an object. Of a name that is there twice the last one counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Content(Vec<(Cow<'static, str>, Value)>);

/// A value, as far as any is looked at.
#[derive(Debug, Clone, Default)]
pub(super) enum Value {
    /// Nothing that is looked at.
    #[default]
    Other,
    Number(u64),
    Text(Box<str>),
    List(Vec<Value>),
    Object(Content),
}

impl Content {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|field| field.0 == name).map(|field| &field.1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().map(|field| &field.1)
    }
}

impl Value {
    /// A field, where it is an object that has it.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_u64(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn as_array(&self) -> Option<&[Self]> {
        if let Self::List(values) = self { Some(values) } else { None }
    }

    pub(super) fn as_object(&self) -> Option<&Content> {
        if let Self::Object(fields) = self { Some(fields) } else { None }
    }
}

struct Name(Cow<'static, str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;
        impl Visitor<'_> for Named {
            type Value = Name;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                let known = KNOWN.iter().find(|known| **known == name);
                Ok(Name(known.map_or_else(|| Cow::Owned(name.to_owned()), |n| Cow::Borrowed(*n))))
            }
        }
        deserializer.deserialize_str(Named)
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(if let Value::Object(fields) = value { fields } else { Self::default() })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::Other, Value::Number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            fields.push((name, value));
        }
        Ok(Value::Object(Content(fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Content {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_looked_at_is_kept() {
        let content =
            read(r#"{"body": "a", "info": {"size": 7, "w": -1}, "own": ["x", null, 1.5]}"#);
        assert_eq!(content.get("body").and_then(Value::as_str), Some("a"));
        let info = content.get("info").unwrap();
        assert_eq!(info.get("size").and_then(Value::as_u64), Some(7));
        assert_eq!(info.get("w").and_then(Value::as_u64), None);
        let own = content.get("own").and_then(Value::as_array).unwrap();
        assert_eq!((own.len(), own[0].as_str(), own[1].as_str()), (3, Some("x"), None));
        assert!(content.get("url").is_none() && own[0].get("x").is_none());
    }

    #[test]
    fn of_a_name_that_is_there_twice_the_last_one_counts() {
        let content = read(r#"{"body": "first", "body": "last"}"#);
        assert_eq!(content.get("body").and_then(Value::as_str), Some("last"));
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        assert!(read("[1]").is_empty() && read("null").is_empty() && read("{}").is_empty());
    }
}
