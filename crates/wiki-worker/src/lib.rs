//! The stage `generating_wiki`: renders the pages whose inputs have changed.
//!
//! A page is a function of what is loaded for it ([`inputs`]): no clock, no chance, no other channel. The
//! same inputs have the same digest, and are not rendered again; the same text is no new version. Chat
//! text is hostile: it reaches a page only through [`markdown`].

mod footnotes;
mod inputs;
mod markdown;
mod mermaid;
mod pages;
mod slugs;
mod stage;

pub use stage::WikiStage;
