//! `atlas-extract-worker`: the stage `extracting_facts` as a process of its own.

use std::{process::ExitCode, sync::Arc};

use extract_worker::ExtractStage;
use extraction::rules::Rules;
use service::{Process, Role, StartError};

fn main() -> ExitCode {
    service::run(Role::ExtractWorker, async |process: &mut Process| {
        let store = process.ports().store.clone();
        let rules = Rules::bundled().map_err(StartError::role)?;
        process.stage(Arc::new(ExtractStage::new(store, Arc::new(rules))))
    })
}
