//! `atlas-gateway`: the HTTP API as a process of its own.

use std::{process::ExitCode, sync::Arc};

use gateway::{Gateway, Limits, Parts};
use imports::ImportedChannel;
use service::{Process, Role};

fn main() -> ExitCode {
    service::run(Role::Gateway, async |process: &mut Process| {
        let worker::Ports { store, queue, progress } = process.ports().clone();
        let limits =
            Limits { upload_bytes: process.config().max_upload_bytes, ..Limits::default() };
        let connector = Arc::new(ImportedChannel::new(store.clone()));
        let shutdown = process.shutdown();
        let parts = Parts { store, queue, progress, connector, limits, shutdown };
        process.serve_api(gateway::router(Gateway::new(parts))).await?;
        Ok(())
    })
}
