//! The one way out to every platform: limit, send, bound, classify.
//!
//! A platform says what to ask ([`Call`]) and what a reply means ([`Dialect`]). The rest happens here, the
//! same for all: the shared limiter is asked first, credentials go to their own origin only, redirects are
//! not followed, replies are bounded, and no error repeats what was sent.

mod call;
mod dialect;
mod limiter;
mod pace;
mod reply;
pub mod retry_after;

pub use call::{Call, Http};
pub use dialect::Dialect;
pub use limiter::{Bucket, Limiter, Unlimited};
pub use pace::Pace;
pub use reply::Reply;
