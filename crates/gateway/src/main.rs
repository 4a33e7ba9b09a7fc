//! `atlas-gateway`: the HTTP API as a process of its own.

use std::{process::ExitCode, sync::Arc};

use connections::{Accounts, MasterKeys};
use connectors::http::Client;
use gateway::{Gateway, Limits, Parts};
use imports::ImportedChannel;
use service::{Process, Role, StartError};

fn main() -> ExitCode {
    service::run(Role::Gateway, async |process: &mut Process| {
        let worker::Ports { store, queue, progress } = process.ports().clone();
        let limits =
            Limits { upload_bytes: process.config().max_upload_bytes, ..Limits::default() };
        let connector = Arc::new(ImportedChannel::new(store.clone()));
        let config = process.config().clone();
        let client = Client::new(config.outbound.hosts.clone(), config.outbound.proxy.as_ref());
        let client = client.map_err(StartError::role)?;
        let keys = MasterKeys::new(move || config.master_key());
        let accounts = Accounts::new(store.clone(), progress.clone(), client, keys);
        let accounts = Arc::new(accounts);
        let shutdown = process.shutdown();
        let parts = Parts { store, queue, progress, connector, accounts, limits, shutdown };
        process.serve_api(gateway::router(Gateway::new(parts))).await?;
        Ok(())
    })
}
