//! The store port: everything that must outlive a process, and the only SQL of the project.
