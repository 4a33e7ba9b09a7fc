//! `atlas-scheduler`: what is due and what stands still, as a process of its own.

use std::process::ExitCode;

use scheduler::{Scheduler, Settings};
use service::{Process, Role};

fn main() -> ExitCode {
    service::run(Role::Scheduler, async |process: &mut Process| {
        let worker::Ports { store, queue, progress } = process.ports().clone();
        let settings = Settings {
            quiet: process.config().sweep_after,
            keep: process.config().keep,
            ..Settings::default()
        };
        let scheduler = Scheduler::new(store, queue, progress, settings);
        process.spawn("scheduler", scheduler.run(process.shutdown()));
        Ok(())
    })
}
