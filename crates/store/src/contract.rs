//! What every store must do. Each adapter runs exactly these functions.
