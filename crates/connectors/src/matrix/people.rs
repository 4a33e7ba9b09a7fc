//! The names of people in a room, asked for together and remembered for a while.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{api::Server, id, raw::RawMembers};
use crate::{ConnectorError, text};

/// Rooms whose people are remembered.
const MAX_ROOMS: usize = 64;

/// People of one room that are remembered.
pub(super) const MAX_PEOPLE: usize = 50_000;

/// Names of people who are no longer there that are asked for with one page.
const MAX_ASKED: usize = 20;

/// How long a name is believed.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// How long one name may take: it may have to come from another server.
const WITHIN: Duration = Duration::from_secs(5);

/// Names by id.
#[derive(Debug, Clone, Default)]
pub(super) struct People {
    names: Arc<HashMap<String, String>>,
}

impl From<HashMap<String, String>> for People {
    fn from(names: HashMap<String, String>) -> Self {
        Self { names: Arc::new(names) }
    }
}

impl People {
    #[cfg(test)]
    pub(super) fn of<const N: usize>(names: [(&str, &str); N]) -> Self {
        let names = names.map(|(id, name)| (id.to_owned(), name.to_owned()));
        Self { names: Arc::new(HashMap::from(names)) }
    }

    pub(super) fn name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// A name to show, whoever it is.
    pub(super) fn shown(&self, id: &str) -> String {
        let name = self.name(id).map(str::to_owned);
        name.or_else(|| text::shown(id::local_part(id))).unwrap_or_else(|| id.to_owned())
    }
}

/// Remembers the people of rooms.
#[derive(Default)]
pub(super) struct Directory {
    rooms: Mutex<HashMap<String, (Instant, People)>>,
}

impl Directory {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, People)>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, room: &str) -> Option<People> {
        let rooms = self.lock();
        rooms.get(room).filter(|known| known.0.elapsed() < FRESH).map(|known| known.1.clone())
    }

    fn remember(&self, room: &str, people: &People, since: Instant) {
        let mut rooms = self.lock();
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(room) {
            rooms.clear();
        }
        rooms.insert(room.to_owned(), (since, people.clone()));
    }
}

fn named(members: RawMembers) -> People {
    let members = members.joined.into_iter().filter(|(id, _)| id::user(id).is_some());
    let names = members.map(|(id, member)| {
        let name = text::shown(&member.display_name).or_else(|| text::shown(id::local_part(&id)));
        (id.clone(), name.unwrap_or(id))
    });
    People { names: Arc::new(names.take(MAX_PEOPLE).collect()) }
}

impl Server {
    /// The people of a room, and those who have said something there and left.
    pub(super) async fn people(
        &self,
        room: &str,
        senders: BTreeSet<&str>,
    ) -> Result<People, ConnectorError> {
        let began = Instant::now();
        let mut people = match self.directory.known(room) {
            Some(people) => people,
            None => {
                let people = named(self.members(room).await?);
                self.directory.remember(room, &people, began);
                people
            }
        };
        let absent = senders.into_iter().filter(|id| people.name(id).is_none());
        let absent: Vec<String> = absent.take(MAX_ASKED).map(str::to_owned).collect();
        if absent.is_empty() || people.names.len() >= MAX_PEOPLE {
            return Ok(people);
        }
        let mut names = (*people.names).clone();
        for id in absent {
            let told = tokio::time::timeout(WITHIN, self.profile(&id)).await;
            let name = told.unwrap_or(Ok(None))?.and_then(|name| text::shown(&name));
            let name = name.or_else(|| text::shown(id::local_part(&id)));
            names.insert(id.clone(), name.unwrap_or(id));
        }
        people.names = Arc::new(names);
        self.directory.remember(room, &people, began);
        Ok(people)
    }
}
