//! Slack's Web API.
//!
//! The history of a channel has first messages, and replies that were sent to the channel as well. A walk
//! fixes its window, from a time before the last walk to the time of its first reply by Slack's own clock,
//! and follows Slack's cursor to the end, in whatever order pages come. Nothing tells of what has changed,
//! so an increment lists the last two weeks again and compares: what is missing has been deleted, and
//! a thread whose count or last reply differs from its mark is read again. Older history is compared slice
//! by slice, one a walk; threads with recent replies are read again in turn, since an edited reply shows
//! nowhere else.
//!
//! A first walk costs one more where the token is a person's that may search, for the number of messages.
//! A quiet increment costs one request for the channel, one for each 200 messages of the last two weeks,
//! one older slice, and at most eight threads, whatever the size of the history. Names cost up to five
//! more, once an hour.

mod account;
mod api;
mod dialect;
mod history;
mod pace;
mod pages;
mod people;
mod reply;
mod scopes;
mod sweep;
mod threads;
mod ts;
mod visit;
mod walk;

pub(super) use api::Workspace;
