//! The one way out to every platform: limit, send, bound, classify.
//!
//! A platform says what to ask ([`Call`]) and what a reply means ([`Dialect`]). The rest happens here, the
//! same for all: the shared limiter is asked first, only public servers and listed ones are called,
//! credentials go to their own origin only, redirects are not followed, replies are bounded, and no error
//! repeats what was sent.

mod ahead;
mod call;
mod client;
mod dialect;
mod hosts;
mod limiter;
mod measure;
mod reply;
pub mod retry_after;

pub(crate) use ahead::Ahead;
pub use call::{Call, Http};
pub use client::Client;
pub use dialect::Dialect;
pub use hosts::{Forbidden, Hosts, is_public};
pub use limiter::{Bucket, Limiter, Unlimited};
pub use reply::Reply;
