//! The names of people in a room, asked for together and remembered for a while.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
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
    rooms: Mutex<HashMap<String, Arc<Room>>>,
}

/// What was told last of a room's people. Whoever asks holds it: others of the same room wait for the answer.
type Room = tokio::sync::Mutex<Option<Told>>;

struct Told {
    /// When it was asked for, and when it was answered.
    asked: Instant,
    answered: Instant,
    people: Result<People, ConnectorError>,
}

impl Directory {
    fn room(&self, id: &str) -> Arc<Room> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(id) {
            rooms.clear();
        }
        rooms.entry(id.to_owned()).or_default().clone()
    }

    /// People of a room and more of them, who are remembered too.
    async fn with(&self, id: &str, mut people: People, more: HashMap<String, String>) -> People {
        let room = self.room(id);
        let mut told = room.lock().await;
        let known = match told.as_mut() {
            Some(Told { people: Ok(known), .. }) => known,
            _ => &mut people,
        };
        Arc::make_mut(&mut known.names).extend(more);
        known.clone()
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

impl Told {
    /// Whether it answers somebody who came at a time. A failure answers those who have waited for it.
    fn answers(&self, came: Instant) -> bool {
        match self.people {
            Ok(_) => self.asked.elapsed() < FRESH,
            Err(_) => came < self.answered,
        }
    }
}

impl Server {
    /// The people of a room, and those who have said something there and left.
    pub(super) async fn people(
        &self,
        room: &str,
        senders: BTreeSet<&str>,
    ) -> Result<People, ConnectorError> {
        let people = self.present(room).await?;
        let absent = senders.into_iter().filter(|id| people.name(id).is_none());
        let absent: Vec<String> = absent.take(MAX_ASKED).map(str::to_owned).collect();
        if absent.is_empty() || people.names.len() >= MAX_PEOPLE {
            return Ok(people);
        }
        let mut names = HashMap::new();
        for id in absent {
            let told = tokio::time::timeout(WITHIN, self.profile(&id)).await;
            let name = told.unwrap_or(Ok(None))?.and_then(|name| text::shown(&name));
            let name = name.or_else(|| text::shown(id::local_part(&id)));
            names.insert(id.clone(), name.unwrap_or(id));
        }
        Ok(self.directory.with(room, people, names).await)
    }

    /// Who is in a room: asked once for all who want to know it at the same time.
    async fn present(&self, id: &str) -> Result<People, ConnectorError> {
        let came = Instant::now();
        let room = self.directory.room(id);
        let mut told = room.lock().await;
        if let Some(told) = told.as_ref().filter(|told| told.answers(came)) {
            return told.people.clone();
        }
        let asked = Instant::now();
        let people = self.members(id).await.map(named);
        *told = Some(Told { asked, answered: Instant::now(), people: people.clone() });
        people
    }
}
