//! One post of a bulk export, with its replies.

use std::collections::{BTreeMap, HashMap};

use domain::{
    Message, MessageId, Timestamp,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde::Deserialize;

use crate::{
    import::{made_id::MadeIds, words},
    text::{id, shown},
};

/// Files and reactions that are kept of one message.
const MAX_LISTED: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPost {
    pub(super) team: String,
    pub(super) channel: String,
    user: String,
    r#type: Option<String>,
    message: String,
    create_at: Option<i64>,
    edit_at: Option<i64>,
    reactions: Option<Vec<RawReaction>>,
    attachments: Option<Vec<RawAttachment>>,
    replies: Option<Vec<RawPost>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawReaction {
    user: String,
    emoji_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawAttachment {
    path: String,
}

/// Turns posts into messages.
pub(super) struct Posts<'p> {
    people: &'p HashMap<String, Author>,
    ids: MadeIds,
}

impl<'p> Posts<'p> {
    pub(super) fn new(people: &'p HashMap<String, Author>) -> Self {
        Self { people, ids: MadeIds::default() }
    }

    /// A post and what it nests.
    pub(super) fn with_replies(&mut self, mut post: RawPost) -> Vec<Result<Message, &'static str>> {
        let replies = post.replies.take().unwrap_or_default();
        let channel = format!("{}:{}", post.team, post.channel);
        let root = self.message(&channel, &post, None);
        let Ok(mut root) = root else { return vec![root] };
        let thread = (!replies.is_empty()).then(|| root.id.clone());
        root.thread_id.clone_from(&thread);
        let mut messages = vec![Ok(root)];
        messages.extend(replies.iter().map(|reply| self.message(&channel, reply, thread.as_ref())));
        messages
    }

    fn message(
        &mut self,
        channel: &str,
        post: &RawPost,
        thread: Option<&MessageId>,
    ) -> Result<Message, &'static str> {
        let created = post.create_at.ok_or("a post without create_at")?;
        let sent_at = time(created).ok_or("a create_at that is no time")?;
        let user = id(&post.user).ok_or("a post without a user")?;
        let prose = words(&post.message);
        let system = post.r#type.as_deref().is_some_and(|kind| kind.starts_with("system_"));
        let known = self.people.get(&user).cloned();
        let parts = [channel, &user, &created.to_string()];
        Ok(Message {
            id: self.ids.of(&parts),
            thread_id: thread.cloned(),
            author: known.unwrap_or_else(|| Author {
                id: user.as_str().into(),
                name: shown(&user).unwrap_or_else(|| "Unknown".to_owned()),
                kind: AuthorKind::Person,
            }),
            kind: if system { MessageKind::System } else { MessageKind::Text },
            text: prose.text,
            mentions: prose.mentions,
            links: prose.links,
            sent_at,
            edited_at: post.edit_at.and_then(time).filter(|edited| *edited > sent_at),
            deleted_at: None,
            permalink: None,
            reactions: reactions(post.reactions.as_deref().unwrap_or_default()),
            attachments: attachments(post.attachments.as_deref().unwrap_or_default()),
        })
    }
}

fn time(millis: i64) -> Option<Timestamp> {
    (0..=99_999_999_999_999).contains(&millis).then(|| Timestamp::from_micros(millis * 1_000))
}

fn reactions(raw: &[RawReaction]) -> Vec<Reaction> {
    let mut by_name: BTreeMap<String, Vec<domain::UserId>> = BTreeMap::new();
    for reaction in raw.iter().take(MAX_LISTED * MAX_LISTED) {
        if let (Some(name), Some(user)) = (shown(&reaction.emoji_name), id(&reaction.user)) {
            by_name.entry(name).or_default().push(user.as_str().into());
        }
    }
    let reactions = by_name.into_iter().take(MAX_LISTED).map(|(name, mut users)| {
        users.sort();
        users.dedup();
        let count = u32::try_from(users.len()).unwrap_or(u32::MAX);
        users.truncate(MAX_LISTED);
        Reaction { name, count, users }
    });
    reactions.collect()
}

fn attachments(raw: &[RawAttachment]) -> Vec<Attachment> {
    let attachments = raw.iter().take(MAX_LISTED).filter_map(|raw| {
        let name = shown(raw.path.rsplit('/').next()?)?;
        Some(Attachment { id: name.clone(), name, media_type: None, bytes: None })
    });
    attachments.collect()
}
