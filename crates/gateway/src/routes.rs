//! The routes, one module a resource.

pub(crate) mod channels;
pub(crate) mod connections;
pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod graph;
pub(crate) mod imports;
pub(crate) mod memories;
pub(crate) mod schedules;
pub(crate) mod sync;
pub(crate) mod wiki;
