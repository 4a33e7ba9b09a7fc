//! The people of a server, asked for in lists and remembered for a while.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::raw::RawUser;
use crate::{
    ConnectorError,
    http::{Call, Reply},
    text,
};

/// People that one request asks for.
const BATCH: usize = 100;

/// People that are remembered; beyond that all are asked for again.
const MAX_KNOWN: usize = 50_000;

/// How long a name is believed.
const FRESH: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_bot: bool,
}

/// Who is who; `None` for ids and names that belong to nobody.
#[derive(Default)]
pub(super) struct People {
    by_id: HashMap<String, Option<Arc<Person>>>,
    by_username: HashMap<String, Option<Arc<Person>>>,
}

impl People {
    pub(super) fn with_id(&self, id: &str) -> Option<&Person> {
        self.by_id.get(id)?.as_deref()
    }

    pub(super) fn called(&self, username: &str) -> Option<&Person> {
        self.by_username.get(username)?.as_deref()
    }

    fn add(&mut self, raw: RawUser) {
        let Some(id) = text::id(&raw.id) else { return };
        let full = format!("{} {}", raw.first_name, raw.last_name);
        let names = [&raw.nickname, &full, &raw.username];
        let name = names.into_iter().find_map(|name| text::shown(name));
        let name = name.unwrap_or_else(|| id.clone());
        let person = Some(Arc::new(Person { id: id.clone(), name, is_bot: raw.is_bot }));
        self.by_username.insert(raw.username.to_lowercase(), person.clone());
        self.by_id.insert(id, person);
    }
}

/// Remembers people.
pub(super) struct Directory {
    known: Mutex<(Instant, People)>,
}

impl Directory {
    pub(super) fn new() -> Self {
        Self { known: Mutex::new((Instant::now(), People::default())) }
    }

    /// Looks up who is not known; `post` makes a request to a path below `users`.
    pub(super) async fn look_up(
        &self,
        ids: HashSet<String>,
        usernames: HashSet<String>,
        post: impl Fn(&str) -> Call + Send + Sync,
    ) -> Result<People, ConnectorError> {
        let wanted = (ids, usernames);
        let (ids, usernames) = self.unknown(&wanted.0, &wanted.1);
        for chunk in ids.chunks(BATCH) {
            let found = listed(post("users/ids").json(chunk).send().await)?;
            self.remember(found, |known| {
                for id in chunk {
                    known.by_id.entry(id.clone()).or_default();
                }
            });
        }
        for chunk in usernames.chunks(BATCH) {
            let found = listed(post("users/usernames").json(chunk).send().await)?;
            self.remember(found, |known| {
                for username in chunk {
                    known.by_username.entry(username.clone()).or_default();
                }
            });
        }
        let known = self.lock();
        let of = |known: &HashMap<String, Option<Arc<Person>>>, wanted: HashSet<String>| {
            let known = wanted.into_iter().map(|key| (known.get(&key).cloned().flatten(), key));
            known.map(|(person, key)| (key, person)).collect()
        };
        Ok(People {
            by_id: of(&known.1.by_id, wanted.0),
            by_username: of(&known.1.by_username, wanted.1),
        })
    }

    fn unknown(
        &self,
        ids: &HashSet<String>,
        usernames: &HashSet<String>,
    ) -> (Vec<String>, Vec<String>) {
        let mut known = self.lock();
        let size = known.1.by_id.len() + known.1.by_username.len();
        if known.0.elapsed() > FRESH || size > MAX_KNOWN {
            *known = (Instant::now(), People::default());
        }
        let ids = ids.iter().filter(|id| !known.1.by_id.contains_key(*id)).cloned();
        let usernames = usernames.iter().filter(|n| !known.1.by_username.contains_key(*n)).cloned();
        (ids.collect(), usernames.collect())
    }

    fn remember(&self, found: Vec<RawUser>, rest: impl FnOnce(&mut People)) {
        let mut known = self.lock();
        for user in found {
            known.1.add(user);
        }
        rest(&mut known.1);
    }

    fn lock(&self) -> MutexGuard<'_, (Instant, People)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An account that may not see other people still reads what they say, without their names.
fn listed(reply: Result<Reply, ConnectorError>) -> Result<Vec<RawUser>, ConnectorError> {
    match reply {
        Ok(reply) => reply.json(),
        Err(ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
