//! Values between Rust and the columns that hold them.
