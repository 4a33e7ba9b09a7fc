//! A JSON document with a long list in it, read record by record.

use std::{
    fmt,
    io::{self, BufRead, Read},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};

/// Largest record, and largest part between two records, in bytes.
const MAX_RECORD: u64 = 16 << 20;

/// How reading a document ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All of it was read.
    Whole,
    /// Nobody wanted more.
    Stopped,
    /// It ends in the middle, or is no JSON from there on.
    Broken,
}

/// What a document is told by.
pub(crate) trait Listener {
    /// A field that stands beside the list. Long lists and objects are not handed over.
    fn field(&mut self, name: &str, value: Value);
    /// A record of the list, by its number from 1.
    fn record(&mut self, n: u64, record: &RawValue) -> ControlFlow<()>;
    /// The list of an object ends, before whatever else the object has.
    fn end(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Reads `{…, "list": [record, …], …}`, or objects of that kind within lists and objects on the way to them
/// (`within`, outermost first).
pub(crate) fn read(
    source: impl BufRead,
    within: &[&str],
    list: &'static str,
    listener: &mut dyn Listener,
) -> Ended {
    let since_record = Arc::new(AtomicU64::new(0));
    let metered = Metered { source, since_record: since_record.clone() };
    let mut stopped = false;
    let seed = Seed { within, list, listener, since_record: &since_record, stopped: &mut stopped };
    let mut json = serde_json::Deserializer::from_reader(io::BufReader::new(metered));
    match seed.deserialize(&mut json) {
        Ok(()) => Ended::Whole,
        Err(_) if stopped => Ended::Stopped,
        Err(_) => Ended::Broken,
    }
}

/// Fails when too much has been read since the last record.
struct Metered<R> {
    source: R,
    since_record: Arc<AtomicU64>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        if self.since_record.fetch_add(read as u64, Ordering::Relaxed) > MAX_RECORD {
            return Err(io::Error::other("a record that is larger than any message"));
        }
        Ok(read)
    }
}

struct Seed<'s> {
    within: &'s [&'s str],
    list: &'static str,
    listener: &'s mut dyn Listener,
    since_record: &'s AtomicU64,
    stopped: &'s mut bool,
}

impl Seed<'_> {
    fn inner(&mut self, depth: usize) -> Seed<'_> {
        Seed {
            within: &self.within[depth..],
            list: self.list,
            listener: &mut *self.listener,
            since_record: self.since_record,
            stopped: &mut *self.stopped,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of messages")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if self.within.first().is_some_and(|within| *within == name) {
                map.next_value_seed(self.inner(1))?;
            } else if self.within.is_empty() && name == self.list {
                map.next_value_seed(Records(self.inner(0)))?;
            } else if self.within.is_empty() {
                let value: Value = map.next_value()?;
                self.listener.field(&name, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.inner(0))?.is_some() {}
        Ok(())
    }
}

struct Records<'s>(Seed<'s>);

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let seed = self.0;
        let mut n = 0;
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() {
            let Some(record) = seq.next_element::<Box<RawValue>>()? else { break };
            seed.since_record.store(0, Ordering::Relaxed);
            n += 1;
            flow = seed.listener.record(n, &record);
        }
        if flow.is_continue() {
            flow = seed.listener.end();
        }
        if flow.is_break() {
            *seed.stopped = true;
            return Err(serde::de::Error::custom("nobody wants more"));
        }
        Ok(())
    }
}

/// A text field of what stands beside a list.
pub(crate) fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
