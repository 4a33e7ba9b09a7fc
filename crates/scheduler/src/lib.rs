//! Fires due schedules and sweeps what stands still.
