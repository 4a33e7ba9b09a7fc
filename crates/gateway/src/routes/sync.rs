//! Triggering, watching and ending syncs.

mod cancel;
mod failures;
mod history;
mod retry;
mod status;
mod trigger;
mod why;

pub(crate) use cancel::*;
pub(crate) use failures::*;
pub(crate) use history::*;
pub(crate) use retry::*;
pub(crate) use status::*;
pub(crate) use trigger::*;
pub(crate) use why::*;
