//! What Slack's own export has of the channel.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};

use super::{CHANNEL, Fake, PEOPLE, person};

impl Fake {
    /// The zip that the workspace's owner gets: all files of one day, which is never used as a time.
    pub(crate) fn export(&self) -> Vec<u8> {
        let workspace = self.lock();
        let people: Vec<Value> = (0..PEOPLE.len()).map(person).collect();
        let said = workspace.said.iter().map(|(at, said)| workspace.json(*at, said));
        let said: Vec<Value> = said.collect();
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let files = [
            ("channels.json", json!([{"id": CHANNEL, "name": "general"}])),
            ("users.json", json!(people)),
            ("general/2023-11-14.json", json!(said)),
        ];
        for (name, content) in files {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(name, options).expect("an entry");
            zip.write_all(content.to_string().as_bytes()).expect("an entry");
        }
        zip.finish().expect("an archive").into_inner()
    }
}
