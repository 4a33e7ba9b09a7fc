//! Uploaded exports: from bytes in the store to messages in the store, and from there like a platform.
//!
//! A file is parsed and normalised once ([`ImportReader`]); the fetch stage then walks what came of it with
//! a connector of its own ([`ImportedChannel`]), and the gateway asks that for estimates.

mod channel;
mod reader;
mod spool;

pub use channel::ImportedChannel;
pub use reader::ImportReader;
