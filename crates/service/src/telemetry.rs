//! Log, traces and metrics.

mod described;
mod fields;
mod filter;
mod lines;
mod metrics;
mod traces;

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

use self::filter::LoggedOrTraced;
pub use self::{
    metrics::{start_metrics, tend_metrics},
    traces::flush_traces,
};
use crate::{
    config::{Config, LogFormat},
    mask::Masked,
};

/// Begins to log, to standard error and without what looks like a token, and to send traces where the
/// configuration names a collector. Once a process.
pub fn start_log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| Masked(std::io::stderr()))
        .with_target(false);
    let lines = match config.log_format {
        LogFormat::Text => lines.compact().fmt_fields(fields::Readable).boxed(),
        LogFormat::Json => lines.event_format(lines::Flat).fmt_fields(lines::Objects).boxed(),
    };
    let traces = config.traces_to.as_ref().and_then(|collector| traces::layer(config, collector));
    let outcome = registry().with(traces).with(lines).with(LoggedOrTraced(filter)).try_init();
    // Somebody else's log is as good.
    drop(outcome);
}
