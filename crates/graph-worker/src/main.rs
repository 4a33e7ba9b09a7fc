//! `atlas-graph-worker`: the stage `building_graph` as a process of its own.

use std::{process::ExitCode, sync::Arc};

use graph_worker::GraphStage;
use service::{Process, Role};

fn main() -> ExitCode {
    service::run(Role::GraphWorker, async |process: &mut Process| {
        let store = process.ports().store.clone();
        process.stage(Arc::new(GraphStage::new(store)))
    })
}
