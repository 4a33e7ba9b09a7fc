//! Conversations of an export, cut as the store cuts them.

#![expect(clippy::unwrap_used, reason = "only tests use it")]

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, Write as _},
    ops::ControlFlow,
    path::Path,
};

use connectors::{
    import::{Export as _, Report},
    slack::{Limits, SlackExport},
};
use domain::{
    ChannelId, Message, UnitId,
    conversation::{Conversation, begins_conversation, begins_part},
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Conversations of an unpacked export.
pub(crate) fn of_folder(folder: &Path) -> Vec<Conversation> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&std::fs::read(&path).unwrap()).unwrap();
        }
    }
    of_archive(zip.finish().unwrap())
}

/// Conversations of a packed export.
pub(crate) fn of_archive(archive: impl Read + Seek) -> Vec<Conversation> {
    let mut export = SlackExport::open(archive, Limits::default()).unwrap();
    let mut messages = vec![Vec::new(); export.channels().len()];
    export
        .read_all(&mut Report::default(), &mut |channel, batch| {
            messages[channel].extend(batch);
            ControlFlow::Continue(())
        })
        .unwrap();
    let channels = export.channels().iter().zip(messages);
    channels
        .flat_map(|(channel, messages)| cut(&channel.external_id.as_str().into(), messages))
        .collect()
}

fn cut(channel: &ChannelId, mut messages: Vec<Message>) -> Vec<Conversation> {
    messages.sort_by(|a, b| (a.sent_at, &a.id).cmp(&(b.sent_at, &b.id)));
    messages.retain(|m| m.deleted_at.is_none() && m.kind == domain::message::MessageKind::Text);
    let mut threads: BTreeMap<_, Vec<Message>> = BTreeMap::new();
    let mut outside: Vec<Vec<Message>> = Vec::new();
    for message in messages {
        if let Some(thread) = message.thread_id.clone() {
            threads.entry(thread).or_default().push(message);
            continue;
        }
        let before = outside.last().and_then(|unit| unit.last()).map(|last| last.sent_at);
        if begins_conversation(before, &message.id, message.sent_at) {
            outside.push(Vec::new());
        }
        outside.last_mut().unwrap().push(message);
    }
    let mut units: Vec<(Vec<Message>, Vec<Message>)> =
        outside.into_iter().map(|unit| (Vec::new(), unit)).collect();
    for thread in threads.into_values() {
        let root = thread[0].clone();
        let mut parts: Vec<(Vec<Message>, Vec<Message>)> = Vec::new();
        for message in thread {
            if parts.is_empty() {
                parts.push((Vec::new(), Vec::new()));
            } else if begins_part(&message.id) {
                parts.push((vec![root.clone()], Vec::new()));
            }
            parts.last_mut().unwrap().1.push(message);
        }
        units.extend(parts);
    }
    units.into_iter().map(|(context, messages)| conversation(channel, context, messages)).collect()
}

fn conversation(
    channel: &ChannelId,
    context: Vec<Message>,
    messages: Vec<Message>,
) -> Conversation {
    let root = messages[0].id.clone();
    Conversation {
        channel_id: channel.clone(),
        scope: "slack:T1".into(),
        unit_id: UnitId::derive(&[channel.as_str(), root.as_str()]),
        root,
        context,
        messages,
    }
}
