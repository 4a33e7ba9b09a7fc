//! A list of posts as the server gives it.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::raw::{RawPost, RawPosts};

/// Posts of one reply.
pub(super) struct Listed {
    /// All of them, first posts of threads that are shown beside the list included.
    pub(super) posts: Vec<RawPost>,
    /// Ids of the list itself.
    order: BTreeSet<String>,
    /// How long the list is.
    pub(super) changes: usize,
    /// When its newest post was sent.
    pub(super) newest: i64,
}

impl Listed {
    pub(super) fn of(raw: RawPosts<'_>) -> Self {
        let order: BTreeSet<String> = raw.order.into_iter().collect();
        let posts: Vec<RawPost> =
            raw.posts.into_iter().filter_map(|(id, post)| read(&id, post)).collect();
        let newest = posts.iter().map(|post| post.create_at).max().unwrap_or_default();
        Self { changes: order.len(), posts, order, newest }
    }

    pub(super) fn timeline(&self) -> impl Iterator<Item = &RawPost> {
        self.posts.iter().filter(|post| self.order.contains(&post.id))
    }
}

fn read(id: &str, post: &RawValue) -> Option<RawPost> {
    let post: Option<RawPost> = serde_json::from_str(post.get()).ok();
    let post = post.filter(|post| !post.id.is_empty() && post.create_at > 0);
    if post.is_none() {
        tracing::warn!(post = id.get(..26), "a post that is not understood is left out");
    }
    post
}
