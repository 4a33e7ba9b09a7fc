//! The fourth stage: renders the wiki pages whose inputs changed.
