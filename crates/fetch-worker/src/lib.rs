//! The stage `fetching_messages`: walks a channel in slices, page by page.
//!
//! A task is a slice of at most a minute, not a whole walk, so that none is held for hours. Each page is
//! stored with the place behind it: after a crash the walk goes on from there.

mod known;
mod slice;

pub use slice::FetchStage;
