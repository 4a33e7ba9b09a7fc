//! `atlas-wiki-worker`: the stage `generating_wiki` as a process of its own.

use std::{process::ExitCode, sync::Arc};

use service::{Process, Role};
use wiki_worker::WikiStage;

fn main() -> ExitCode {
    service::run(Role::WikiWorker, async |process: &mut Process| {
        let store = process.ports().store.clone();
        process.stage(Arc::new(WikiStage::new(store)))
    })
}
