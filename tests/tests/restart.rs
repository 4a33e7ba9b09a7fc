//! The servers themselves are stopped and started again. Alone in its file: tests of other files that work
//! on the same servers do not run meanwhile.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{io::Write as _, process::Command, time::Duration};

use system_tests::{Fleet, Ledger, sample_archive};

/// Has `scripts/services` stop or start one of its servers; not one that it did not start.
fn services(what: &str, name: &str) -> bool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/services");
    Command::new(script).args([what, name]).status().unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_restarted_cost_time_and_nothing_else() {
    let mut fleet = Fleet::start(&["atlas-extract-worker", "atlas-graph-worker"]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    ledger.sync(&fleet, &channel, false).await;
    for name in ["redis", "rabbitmq", "postgres"] {
        let job = fleet.api.trigger(&channel, true).await;
        if !services("stop", name) {
            // Straight to the terminal: what a passing test prints is not shown otherwise.
            let notice =
                format!("NOT RESTARTED: {name} is not a server that scripts/services started\n");
            let _ = std::io::stderr().write_all(notice.as_bytes());
            ledger.completed(&fleet, &channel, &job).await;
            continue;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(services("start", name), "{name} starts again");
        ledger.completed(&fleet, &channel, &job).await;
        for member in &mut fleet.members {
            assert!(member.runs(), "{} ended with {name}", member.program);
        }
    }
    ledger.check(&fleet).await;
}
