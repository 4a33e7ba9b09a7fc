//! The extraction port: from a conversation to facts, entities and relationships.
//!
//! An extractor is a function of the conversations it is given and of its own version, of nothing
//! else: not of other conversations, of the order in which they come, nor of the day on which it runs.
//! That is what makes extracting twice the same as extracting once.

mod port;
pub mod rules;
pub mod scripted;

pub use port::{ExtractionError, Extractor};
