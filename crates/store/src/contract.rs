//! What every adapter of the store must do.
