//! `atlas-fetch-worker`: the stage `fetching_messages` as a process of its own, and the reader of uploads.

use std::{process::ExitCode, sync::Arc};

use connections::{Accounts, LiveChannels, MasterKeys};
use connectors::http::Client;
use fetch_worker::FetchStage;
use imports::{ImportReader, ImportedChannel};
use service::{Process, Role, StartError};

fn main() -> ExitCode {
    service::run(Role::FetchWorker, async |process: &mut Process| {
        let worker::Ports { store, progress, .. } = process.ports().clone();
        let config = process.config().clone();
        let client = Client::new(config.outbound.hosts.clone(), config.outbound.proxy.as_ref());
        let client = client.map_err(StartError::role)?;
        let keys = MasterKeys::new(move || config.master_key());
        let accounts = Accounts::new(store.clone(), progress, client, keys);
        let live = Arc::new(LiveChannels::new(Arc::new(accounts)));
        let imported = Arc::new(ImportedChannel::new(store.clone()));
        process.spawn("import reader", ImportReader::new(store.clone()).run(process.shutdown()));
        process.stage(Arc::new(FetchStage::new(store, imported, live)))
    })
}
