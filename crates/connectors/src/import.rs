//! Files that platforms and tools export, read once into messages.
//!
//! Every format is an [`Export`]: it tells its channels, then hands over messages in batches. What cannot be
//! read costs itself and is reported with its place; nothing is guessed. Files are streamed, and everything
//! in them is bounded: they come from anywhere.

mod discord;
mod files;
pub(crate) mod json;
mod lines;
mod made_id;
mod mattermost;
mod options;
mod recognise;
mod report;
mod table;
mod telegram;

use std::{
    io::{Read, Seek},
    ops::ControlFlow,
};

use domain::{Message, Platform};

pub(crate) use files::Files;
pub use options::{Columns, ImportOptions};
pub use recognise::open;
pub use report::Report;

use crate::{
    ImportError,
    text::{Text, markdown},
};

/// Messages handed over at once.
pub(crate) const BATCH: usize = 1_000;

/// A channel of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedChannel {
    /// The platform's id of it; its name where no id is told.
    pub external_id: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub topic: String,
}

/// Takes messages of a channel, by its place in [`Export::channels`].
pub type Sink<'s> = dyn FnMut(usize, Vec<Message>) -> ControlFlow<()> + 's;

/// An opened export.
pub trait Export {
    /// Where its messages were written.
    fn platform(&self) -> Platform;

    /// The platform's id of the workspace, so that another export of it joins the same connection.
    fn workspace(&self) -> String;

    /// What it is, for people.
    fn title(&self) -> String;

    /// Its channels, by id.
    fn channels(&self) -> &[ExportedChannel];

    /// Reads all messages and hands them over in batches, until `sink` breaks.
    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError>;
}

/// What an export is read from.
pub trait ReadSeek: Read + Seek + Send {}

impl<R: Read + Seek + Send> ReadSeek for R {}

/// Words without any markup of their platform's own.
pub(crate) fn words(source: &str) -> Text {
    markdown::render(source, |_, _| None)
}

/// Collects messages of one channel into batches.
pub(crate) struct Batches<'s, 'k> {
    channel: usize,
    batch: Vec<Message>,
    sink: &'s mut Sink<'k>,
}

impl<'s, 'k> Batches<'s, 'k> {
    pub(crate) fn new(channel: usize, sink: &'s mut Sink<'k>) -> Self {
        Self { channel, batch: Vec::new(), sink }
    }

    pub(crate) fn push(&mut self, message: Message) -> ControlFlow<()> {
        self.batch.push(message);
        if self.batch.len() < BATCH { ControlFlow::Continue(()) } else { self.flush() }
    }

    /// Turns to another channel.
    pub(crate) fn turn_to(&mut self, channel: usize) -> ControlFlow<()> {
        if channel == self.channel {
            return ControlFlow::Continue(());
        }
        let flushed = self.flush();
        self.channel = channel;
        flushed
    }

    /// Hands over what is left.
    pub(crate) fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.is_empty() {
            return ControlFlow::Continue(());
        }
        (self.sink)(self.channel, std::mem::take(&mut self.batch))
    }
}
