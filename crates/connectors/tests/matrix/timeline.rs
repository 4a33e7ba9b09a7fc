//! The room's timeline: tokens, and pages between them.

use serde_json::{Value, json};

use super::{Event, ROOM, Server, USERS};
use crate::platform::Dice;

/// A place between events: in the room's own order, or only in that of the server.
#[derive(Clone, Copy, Debug)]
enum Place {
    Room(u64, usize),
    Stream(usize),
}

impl Server {
    fn stream_token(&self, at: usize) -> String {
        format!("s{at}_{}", self.epoch)
    }

    fn place(&self, token: &str) -> Option<Place> {
        let (place, epoch) = token.split_once('_')?;
        if epoch.parse() != Ok(self.epoch) {
            return None;
        }
        if let Some(stream) = place.strip_prefix('s') {
            return Some(Place::Stream(stream.parse().ok()?));
        }
        let (depth, stream) = place.strip_prefix('t')?.split_once('-')?;
        Some(Place::Room(depth.parse().ok()?, stream.parse().ok()?))
    }

    /// A page of history: back from a token, at most to another. `None`: a token that leads nowhere.
    pub(crate) fn history(
        &self,
        from: Option<&str>,
        to: Option<&str>,
        limit: usize,
        types: &Value,
    ) -> Option<Value> {
        let now = Place::Stream(self.events.len());
        let (depth, stream) = match from.map_or(Some(now), |from| self.place(from))? {
            Place::Room(depth, stream) => (depth, stream),
            Place::Stream(stream) => {
                let known = self.events[..stream.min(self.events.len())].iter();
                (known.map(|event| event.depth).max().unwrap_or(0), stream)
            }
        };
        let to = to.map(|to| self.place(to).ok_or(())).transpose().ok()?;
        let places = self.events.iter().enumerate().map(|(place, event)| (event.depth, place));
        let mut places: Vec<(u64, usize)> = places
            .filter(|place| *place < (depth, stream))
            .filter(|(depth, place)| match to {
                None => true,
                Some(Place::Stream(to)) => *place >= to,
                Some(Place::Room(to, stream)) => (*depth, *place) >= (to, stream),
            })
            .collect();
        places.sort_unstable_by(|one, other| other.cmp(one));
        let more = places.len();
        places.truncate(limit.clamp(1, self.page));
        // Only the absence of an end says that there is no more; what is left by the filter may be nothing.
        let end = places.last().filter(|_| places.len() < more);
        let end = end.map(|(depth, place)| format!("t{depth}-{place}_{}", self.epoch));
        let mut chunk: Vec<&Event> = places.iter().map(|(_, place)| &self.events[*place]).collect();
        chunk.retain(|event| is_of(event, types));
        let mut answer = json!({"start": from, "chunk": self.shown(&chunk), "state": []});
        if let Some(end) = end {
            answer["end"] = end.into();
        }
        Some(answer)
    }

    /// What is new since a token. `None`: a token that leads nowhere.
    pub(super) fn news(&self, since: Option<&str>, filter: &Value) -> Option<Value> {
        let since = match since.map(|since| self.place(since).ok_or(())).transpose().ok()? {
            Some(Place::Stream(since)) => Some(since),
            Some(Place::Room(..)) => return None,
            None => None,
        };
        let next = self.stream_token(self.events.len());
        let mut answer = json!({"next_batch": next, "account_data": {"events": []},
            "rooms": {"join": {}, "leave": {}}});
        let room = &filter["room"];
        if room["rooms"].as_array().is_some_and(|rooms| !rooms.contains(&ROOM.into())) {
            return Some(answer);
        }
        if !self.is_joined {
            // That it was left is an event like others.
            let types = &room["timeline"]["types"];
            let tells = |types: &Vec<Value>| types.contains(&"m.room.member".into());
            if since.is_some() && types.as_array().is_none_or(tells) {
                answer["rooms"]["leave"][ROOM] = json!({"timeline": {"events": []}});
            }
            return Some(answer);
        }
        let limit = room["timeline"]["limit"].as_u64().unwrap_or(10);
        let limit = usize::try_from(limit).expect("a number of events");
        let types = &room["timeline"]["types"];
        let events = self.events.iter().enumerate().skip(since.unwrap_or(0));
        let mut new: Vec<(usize, &Event)> = events.filter(|(_, e)| is_of(e, types)).collect();
        // Without a token it looks only at the newest; of a room with nothing to show it says nothing.
        let newest = self.events.len().saturating_sub(limit);
        let shows = |(place, _): &(usize, &Event)| since.is_some() || *place >= newest;
        if !new.iter().any(shows) {
            return Some(answer);
        }
        let surplus = new.len().saturating_sub(limit.min(self.news));
        new.drain(..surplus);
        let before = new.first().map_or(self.events.len(), |(place, _)| *place);
        let new: Vec<&Event> = new.into_iter().map(|(_, event)| event).collect();
        let timeline = json!({"events": self.shown(&new), "limited": surplus > 0,
            "prev_batch": self.stream_token(before)});
        answer["rooms"]["join"][ROOM] =
            json!({"timeline": timeline, "state": {"events": []}, "summary": {}});
        Some(answer)
    }

    fn shown(&self, events: &[&Event]) -> Vec<Value> {
        let mut shown: Vec<Value> = events.iter().map(|event| self.event(event)).collect();
        if self.shuffles {
            let mut dice = Dice::new(self.events.len() as u64);
            for last in (1..shown.len()).rev() {
                shown.swap(last, dice.below(last + 1));
            }
        }
        shown
    }

    /// An event as clients see it.
    pub(super) fn event(&self, event: &Event) -> Value {
        let mut shown = self.bare(event);
        let replies: Vec<&Event> = self.related(&event.id, "m.thread").collect();
        let mut relations = json!({});
        if let Some(latest) = replies.last() {
            relations["m.thread"] = json!({"count": replies.len(),
                "latest_event": self.bare(latest), "current_user_participated": false});
        }
        if let Some(edit) = self.edits(event).pop().filter(|_| event.redacted_by.is_none()) {
            relations["m.replace"] = self.bare(edit);
        }
        if self.bundles && relations != json!({}) {
            shown["unsigned"]["m.relations"] = relations;
        }
        shown
    }

    fn bare(&self, event: &Event) -> Value {
        let mut shown = json!({"event_id": event.id, "type": event.kind, "room_id": ROOM,
            "sender": USERS[event.user], "origin_server_ts": event.at, "content": event.content,
            "unsigned": {"age": self.now - event.at}});
        if event.is_state {
            shown["state_key"] = USERS[event.user].into();
        }
        if let Some(by) = event.redacted_by.as_ref().and_then(|by| self.find(by)) {
            shown["unsigned"]["redacted_because"] = self.bare(by);
        }
        shown
    }
}

fn is_of(event: &Event, types: &Value) -> bool {
    types.as_array().is_none_or(|types| types.contains(&event.kind.into()))
}
