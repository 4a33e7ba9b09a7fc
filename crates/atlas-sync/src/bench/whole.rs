//! Import, first sync, and the same sync again.

use std::{path::Path, time::Instant};

use serde_json::{Value, json};

use super::{Bench, median, per, process, rounded, seconds};
use crate::{commands::CliError, server::Doubles};

/// Whole runs, each on a fresh database.
const RUNS: usize = 3;

pub(super) async fn measure(export: &Path) -> Result<Value, CliError> {
    let (mut imports, mut syncs, mut cpu, mut again) = (vec![], vec![], vec![], vec![]);
    let mut messages = 0;
    for _ in 0..RUNS {
        let bench = Bench::start(Doubles::default()).await?;
        let begun = Instant::now();
        let (channel, rows) = bench.import(export).await?;
        imports.push(begun.elapsed().as_secs_f64());
        messages = rows;
        let before = process::cpu_seconds();
        syncs.push(seconds(&bench.sync(&channel).await?));
        if let (Some(before), Some(after)) = (before, process::cpu_seconds()) {
            cpu.push(after - before);
        }
        again.push(seconds(&bench.sync(&channel).await?));
        bench.stop().await;
    }
    let (import, sync) = (median(imports), median(syncs));
    Ok(json!({
        "messages": messages,
        "import_messages_per_second": rounded(1.0 / per(import, messages)),
        "sync_messages_per_second": rounded(1.0 / per(sync, messages)),
        "sync_seconds": rounded(sync),
        "cpu_milliseconds_per_message": rounded(per(median(cpu) * 1_000.0, messages)),
        "peak_memory_mib": process::peak_memory_mib().map(rounded),
        "same_sync_again_milliseconds": rounded(median(again) * 1_000.0),
    }))
}
