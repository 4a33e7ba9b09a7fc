//! Metrics.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::described::describe;

/// Upper bounds of what durations are sorted into, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

/// Between two rounds of sorting measurements, whether or not anybody reads them.
const SORT_EVERY: Duration = Duration::from_secs(5);

/// Begins to count; `None` when this process counts already.
#[must_use]
pub fn start_metrics() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?;
    let handle = builder.install_recorder().ok()?;
    describe();
    metrics::gauge!("atlas_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    Some(handle)
}

/// Keeps measurements from piling up.
pub async fn tend_metrics(metrics: PrometheusHandle, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(SORT_EVERY) => metrics.run_upkeep(),
        }
    }
}
