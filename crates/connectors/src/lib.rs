//! The connector port: where messages come from, one module a platform or file format.
