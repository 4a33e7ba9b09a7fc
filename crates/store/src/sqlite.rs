//! The store on one file: SQLite.
