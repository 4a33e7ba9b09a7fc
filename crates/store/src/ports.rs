//! The traits of the port, one a subject.

pub(crate) mod access;
pub(crate) mod channels;
pub(crate) mod connections;
pub(crate) mod explaining;
pub(crate) mod failures;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod knowledge;
pub(crate) mod messages;
pub(crate) mod schedules;
pub(crate) mod tasks;
pub(crate) mod walks;
pub(crate) mod wiki;
