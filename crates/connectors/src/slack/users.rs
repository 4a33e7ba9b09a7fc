//! The people of a workspace.

use std::collections::HashMap;

use domain::message::AuthorKind;
use serde::Deserialize;

use super::raw::entries;
pub(super) use crate::text::{id, shown};

/// Slack's own account.
const SLACKBOT: &str = "USLACKBOT";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) kind: AuthorKind,
}

/// People by id, deleted accounts and Slack's own included.
#[derive(Debug)]
pub(super) struct Users {
    by_id: HashMap<String, User>,
    /// The workspace that most of them belong to.
    pub(super) team: Option<String>,
}

/// A person as lists and single replies tell it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawUser {
    pub(super) id: String,
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

impl Default for Users {
    /// Slack's own account, which not every list has.
    fn default() -> Self {
        let slackbot = User { name: "Slackbot".into(), kind: AuthorKind::Bot };
        Self { by_id: HashMap::from([(SLACKBOT.to_owned(), slackbot)]), team: None }
    }
}

impl Users {
    /// Reads `users.json`; `None` when it is no such list.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let raw: Vec<RawUser> = entries(json)?;
        let mut teams: HashMap<String, usize> = HashMap::new();
        let mut users = Self::default();
        for user in raw {
            if let Some(team) = user.team_id.as_deref().and_then(id) {
                *teams.entry(team).or_default() += 1;
            }
            users.add(user);
        }
        let most = teams.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        users.team = most.map(|(team, _)| team);
        Some(users)
    }

    pub(super) fn get(&self, id: &str) -> Option<&User> {
        self.by_id.get(id)
    }

    pub(super) fn add(&mut self, raw: RawUser) {
        self.by_id.insert(raw.id.clone(), known(raw));
    }

    /// A bot, which is in no list of people.
    pub(super) fn add_bot(&mut self, id: &str, name: String) {
        self.by_id.insert(id.to_owned(), User { name, kind: AuthorKind::Bot });
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}

fn known(user: RawUser) -> User {
    let bot = user.is_bot == Some(true) || user.id == SLACKBOT;
    let profile = user.profile.unwrap_or_default();
    let names = [profile.display_name, profile.real_name, user.real_name, user.name];
    let name = names.into_iter().flatten().find_map(|name| shown(&name)).unwrap_or(user.id);
    User { name, kind: if bot { AuthorKind::Bot } else { AuthorKind::Person } }
}
