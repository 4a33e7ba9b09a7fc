//! The queue port: wake-up calls for tasks, delivered at least once.
