//! `atlas-fetch-worker`: the stage `fetching_messages` as a process of its own, and the reader of uploads.

use std::{process::ExitCode, sync::Arc};

use fetch_worker::FetchStage;
use imports::{ImportReader, ImportedChannel};
use service::{Process, Role};

fn main() -> ExitCode {
    service::run(Role::FetchWorker, async |process: &mut Process| {
        let store = process.ports().store.clone();
        let connector = Arc::new(ImportedChannel::new(store.clone()));
        process.spawn("import reader", ImportReader::new(store.clone()).run(process.shutdown()));
        process.stage(Arc::new(FetchStage::new(store, connector)))
    })
}
