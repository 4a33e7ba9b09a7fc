//! The people of a workspace: one list of bounded cost, and single questions for who is not in it.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use super::{
    api::{Home, Question, Workspace, read, refusal},
    pace::Method,
    reply::{BotInfo, Member, Members},
};
use crate::{
    ConnectorError,
    slack::users::{RawUser, Users},
    text,
};

/// People of one page of the list.
const PAGE: usize = 200;

/// Pages that are read of the list: a larger workspace's people are asked for one by one, as they appear.
const MAX_PAGES: usize = 5;

/// People that one page of messages may ask for.
const MAX_STRANGERS: usize = 200;

/// People that are remembered; beyond that all are asked for again.
const MAX_KNOWN: usize = 50_000;

/// How long a name is believed.
const FRESH: Duration = Duration::from_secs(60 * 60);

#[derive(Default)]
pub(super) struct Directory {
    state: RwLock<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) users: Users,
    listed: Option<Instant>,
    /// Ids that belong to nobody.
    nobody: HashSet<String>,
}

impl State {
    fn knows(&self, id: &str) -> bool {
        self.users.get(id).is_some() || self.nobody.contains(id)
    }

    fn is_stale(&self) -> bool {
        let known = self.users.len() + self.nobody.len();
        known > MAX_KNOWN || self.listed.is_none_or(|at| at.elapsed() > FRESH)
    }
}

impl Directory {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Workspace {
    /// Finds out who these are.
    pub(super) async fn meet(
        &self,
        home: &Home,
        ids: &BTreeSet<String>,
    ) -> Result<(), ConnectorError> {
        if ids.is_empty() {
            return Ok(());
        }
        if self.directory.read().is_stale() {
            let listed = self.everybody(home).await?;
            *self.directory.write() = listed;
        }
        let strangers: Vec<&String> = {
            let known = self.directory.read();
            ids.iter().filter(|id| !known.knows(id)).take(MAX_STRANGERS).collect()
        };
        for id in strangers {
            match id.as_bytes().first() {
                Some(b'U' | b'W') => self.meet_person(home, id).await?,
                Some(b'B') => self.meet_bot(home, id).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn everybody(&self, home: &Home) -> Result<State, ConnectorError> {
        let mut state = State { listed: Some(Instant::now()), ..State::default() };
        let mut cursor = String::new();
        for _ in 0..MAX_PAGES {
            let form = vec![("limit", PAGE.to_string()), ("cursor", cursor)];
            let form = self.of_team(form);
            let reply = self.send(&Question { method: Method::Users, form, home }).await?;
            if refusal(&reply)?.is_some() {
                break;
            }
            let page: Members<'_> = read(&reply)?;
            for member in page.members {
                if let Ok(user) = serde_json::from_str::<RawUser>(member.get()) {
                    state.users.add(user);
                }
            }
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok(state)
    }

    async fn meet_person(&self, home: &Home, id: &str) -> Result<(), ConnectorError> {
        let form = vec![("user", id.to_owned())];
        let reply = self.send(&Question { method: Method::User, form, home }).await?;
        let user = match refusal(&reply)? {
            Some(_) => None,
            None => read::<Member<'_>>(&reply)?.user,
        };
        let user = user.and_then(|user| serde_json::from_str::<RawUser>(user.get()).ok());
        match user.filter(|user| user.id == id) {
            Some(user) => self.directory.write().users.add(user),
            None => _ = self.directory.write().nobody.insert(id.to_owned()),
        }
        Ok(())
    }

    async fn meet_bot(&self, home: &Home, id: &str) -> Result<(), ConnectorError> {
        let form = self.of_team(vec![("bot", id.to_owned())]);
        let asked = Question { method: Method::Bot, form, home };
        let found = self.ask::<BotInfo>(&asked).await?.ok();
        match found.and_then(|info| text::shown(&info.bot.name)) {
            Some(name) => self.directory.write().users.add_bot(id, name),
            None => _ = self.directory.write().nobody.insert(id.to_owned()),
        }
        Ok(())
    }
}
