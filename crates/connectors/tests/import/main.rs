//! Files of every format: what comes of them, and what does not.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

mod discord;
mod element;
mod hostile;
mod mattermost;
mod table;
mod telegram;

use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
    ops::ControlFlow,
};

use connectors::{
    ImportError,
    import::{self, Export, ImportOptions, Report},
    slack::Limits,
};
use domain::{Message, import::ImportFormat};
use zip::{ZipWriter, write::SimpleFileOptions};

/// All that an export gave.
struct Given {
    export: Box<dyn Export>,
    messages: BTreeMap<String, Vec<Message>>,
    report: Report,
}

impl Given {
    fn texts(&self, channel: &str) -> Vec<&str> {
        let messages = self.messages.get(channel).map_or(&[][..], Vec::as_slice);
        messages.iter().map(|message| message.text.as_str()).collect()
    }

    fn channels(&self) -> Vec<(&str, &str)> {
        let channels = self.export.channels().iter();
        channels.map(|channel| (channel.external_id.as_str(), channel.name.as_str())).collect()
    }
}

fn read_with(
    bytes: &[u8],
    format: ImportFormat,
    options: ImportOptions,
) -> Result<Given, ImportError> {
    let file = Box::new(Cursor::new(bytes.to_vec()));
    let mut export = import::open(file, format, options, Limits::default())?;
    let ids: Vec<String> =
        export.channels().iter().map(|channel| channel.external_id.clone()).collect();
    let mut report = Report::default();
    let mut messages: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    export.read_all(&mut report, &mut |channel, batch| {
        assert!(batch.len() <= 1_000);
        messages.entry(ids[channel].clone()).or_default().extend(batch);
        ControlFlow::Continue(())
    })?;
    Ok(Given { export, messages, report })
}

/// Reads a file that declares nothing of itself.
fn read(content: &str) -> Given {
    read_with(content.as_bytes(), ImportFormat::Auto, ImportOptions::default()).unwrap()
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
