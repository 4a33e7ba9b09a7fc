//! The people of a workspace.

use std::collections::HashMap;

use domain::message::AuthorKind;
use serde::Deserialize;

use super::raw::entries;

/// Longest name that is shown, in characters.
const MAX_NAME: usize = 80;

/// Longest id that is kept, in bytes.
const MAX_ID: usize = 128;

/// Slack's own account.
const SLACKBOT: &str = "USLACKBOT";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) kind: AuthorKind,
}

/// People by id, deleted accounts included.
#[derive(Debug, Default)]
pub(super) struct Users {
    by_id: HashMap<String, User>,
    /// The workspace that most of them belong to.
    pub(super) team: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawUser {
    id: String,
    team_id: Option<String>,
    name: Option<String>,
    real_name: Option<String>,
    is_bot: Option<bool>,
    profile: Option<RawProfile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawProfile {
    display_name: Option<String>,
    real_name: Option<String>,
}

impl Users {
    /// Reads `users.json`; `None` when it is no such list.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let raw: Vec<RawUser> = entries(json)?;
        let mut teams: HashMap<String, usize> = HashMap::new();
        let mut by_id = HashMap::with_capacity(raw.len());
        for user in raw {
            if let Some(team) = user.team_id.as_deref().and_then(id) {
                *teams.entry(team).or_default() += 1;
            }
            by_id.insert(user.id.clone(), known(user));
        }
        let most = teams.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        Some(Self { by_id, team: most.map(|(team, _)| team) })
    }

    pub(super) fn get(&self, id: &str) -> Option<&User> {
        self.by_id.get(id)
    }
}

fn known(user: RawUser) -> User {
    let bot = user.is_bot == Some(true) || user.id == SLACKBOT;
    let profile = user.profile.unwrap_or_default();
    let names = [profile.display_name, profile.real_name, user.real_name, user.name];
    let name = names.into_iter().flatten().find_map(|name| shown(&name)).unwrap_or(user.id);
    User { name, kind: if bot { AuthorKind::Bot } else { AuthorKind::Person } }
}

/// An id as it may be kept: not empty, in one word, not longer than any platform's.
pub(super) fn id(text: &str) -> Option<String> {
    let plain = |character: char| !character.is_control() && !character.is_whitespace();
    let fits = (1..=MAX_ID).contains(&text.len());
    (fits && text.chars().all(plain)).then(|| text.to_owned())
}

/// A name as it may be shown: one line, no control characters, not too long.
pub(super) fn shown(name: &str) -> Option<String> {
    let words = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String =
        words.chars().filter(|character| !character.is_control()).take(MAX_NAME).collect();
    (!clean.is_empty()).then_some(clean)
}
