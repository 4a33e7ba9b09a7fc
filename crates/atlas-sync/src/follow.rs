//! Watching a sync.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::{
    client::Client,
    commands::CliError,
    output::{self, say},
};

/// Watches until the sync is over; answers with its last status.
pub(crate) async fn follow(
    client: &Client,
    channel: &str,
    job: &str,
    quiet: bool,
) -> Result<Value, CliError> {
    let mut view = View::new(quiet);
    client.follow(channel, job, |status| view.show(status)).await
}

/// The four stages as bars on a terminal, as lines elsewhere.
enum View {
    Bars(Bars),
    Lines { last: String },
    Nothing,
}

struct Bars {
    all: MultiProgress,
    stages: Vec<ProgressBar>,
    whole: ProgressBar,
}

impl View {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self::Nothing;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { last: String::new() };
        }
        let all = MultiProgress::new();
        let stages =
            (0..4).map(|_| all.add(bar("{prefix:<20} {bar:32} {pos:>6}/{len:<6} {msg}"))).collect();
        let whole = all.add(bar("{prefix:<20} {bar:32} {pos:>5} %       {msg}"));
        whole.set_length(100);
        whole.set_prefix("all");
        Self::Bars(Bars { all, stages, whole })
    }

    fn show(&mut self, status: &Value) {
        match self {
            Self::Bars(bars) => bars.show(status),
            Self::Lines { last } => {
                let line = line(status);
                if line != *last {
                    eprintln!("{line}");
                    *last = line;
                }
            }
            Self::Nothing => {}
        }
    }
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━━╌"));
    }
    bar
}

impl Bars {
    fn show(&self, status: &Value) {
        let stages = status["stages"].as_array().cloned().unwrap_or_default();
        for (bar, stage) in self.stages.iter().zip(&stages) {
            let number = |field: &str| stage[field].as_u64().unwrap_or(0);
            bar.set_prefix(output::plain(&stage["name"]));
            bar.set_length(number("total"));
            bar.set_position(number("processed"));
            bar.set_message(output::plain(&stage["status"]));
        }
        self.whole.set_position(status["progress"]["percentage"].as_u64().unwrap_or(0));
        self.whole.set_message(match status["estimated_completion"].as_str() {
            Some(at) => format!("done about {at}"),
            None => output::plain(&status["status"]),
        });
        if status["completed_at"].is_string() {
            for bar in self.stages.iter().chain([&self.whole]) {
                bar.abandon();
            }
            // The last state stays on the screen.
            let _ = self.all.println("");
            std::thread::yield_now();
        }
    }
}

fn line(status: &Value) -> String {
    let progress = &status["progress"];
    let stage = output::plain(&status["current_stage"]);
    format!(
        "{:>3} %  {} of {} messages  {}",
        progress["percentage"],
        progress["processed_messages"],
        progress["total_messages"],
        if stage == "-" { output::plain(&status["status"]) } else { stage },
    )
}

/// Prints how a sync ended; an error when it did not complete.
pub(crate) fn outcome(status: &Value, as_json: bool) -> Result<(), CliError> {
    if as_json {
        output::json(status)?;
    }
    match status["status"].as_str() {
        Some("completed") => {
            if !as_json {
                say!("{}", summary(status));
            }
            Ok(())
        }
        Some("cancelled") => Err(CliError::unsuccessful("the sync was cancelled")),
        _ => {
            let error = &status["error"];
            let (code, message) = (output::plain(&error["code"]), output::plain(&error["message"]));
            Err(CliError::unsuccessful(format!("the sync failed: {message} ({code})")))
        }
    }
}

fn summary(status: &Value) -> String {
    let (progress, counts) = (&status["progress"], &status["counts"]);
    let started: Option<Duration> = elapsed(status);
    let seconds =
        started.map_or_else(String::new, |time| format!(" in {:.1} s", time.as_secs_f64()));
    format!(
        "Completed{seconds}: {} messages, {} new facts, {} new entities, {} new relationships, {} new page versions.",
        progress["processed_messages"],
        counts["facts"],
        counts["entities"],
        counts["relationships"],
        counts["pages"],
    )
}

/// From the first stage's start to the last one's end, as the stages tell it.
fn elapsed(status: &Value) -> Option<Duration> {
    let time =
        |value: &Value| -> Option<domain::Timestamp> { serde_json::from_value(value.clone()).ok() };
    let seconds = time(&status["completed_at"])?.seconds_since(time(&status["started_at"])?);
    Duration::try_from_secs_f64(seconds).ok()
}
