//! The progress port: the live view of running jobs and the signal that cancels them.
