//! Uploaded exports: from bytes in the store to messages in the store.

mod channel;
mod reader;
mod spool;

pub use channel::ImportedChannel;
pub use reader::ImportReader;
