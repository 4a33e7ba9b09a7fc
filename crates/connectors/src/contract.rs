//! What every connector must do, and the reader that finds out: it applies pages as the store does.

mod mirror;

pub use mirror::Mirror;
