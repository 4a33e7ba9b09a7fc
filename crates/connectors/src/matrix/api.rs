//! The calls that are made.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::json;

use super::{
    dialect::Matrix,
    event::READ,
    id,
    people::Directory,
    raw::{RawClosest, RawEvent, RawMembers, RawMessages, RawProfile, RawSync, RawWhoAmI},
};
use crate::{
    Access, ConnectorError,
    http::{Ahead, Bucket, Call, Http, Reply},
};

/// Events of one page of history: the most that Synapse gives.
const PAGE: usize = 1_000;

/// Events of one answer about what is new; servers give a hundred or so, whatever is asked for.
const NEWS: usize = 500;

/// Calls in a second, at first and at most. Synapse by itself does not limit those that read; what stands in
/// front of it may, and that has to be found out.
const PER_SECOND: (u32, u32) = (5, 50);

/// Calls at once after a rest: as many as the first page of a walk makes.
const BURST: u32 = 5;

pub(super) struct Server {
    http: Http,
    bucket: Bucket,
    pub(super) directory: Directory,
    /// Pages of history that are on their way.
    ahead: Ahead<Reply>,
}

/// A page of history, and where the next one is.
pub(super) struct History {
    pub(super) events: Vec<RawEvent>,
    pub(super) end: Option<String>,
}

impl Server {
    pub(super) fn open(access: &Access) -> Result<Self, ConnectorError> {
        let token = access.needed("token")?;
        let http = Http::open(access, None, &format!("Bearer {token}"), Arc::new(Matrix))?;
        // The server counts by user.
        let key = format!("matrix:{}", access.connection);
        let bucket = Bucket::learned(key, PER_SECOND.0, PER_SECOND.1, BURST);
        Ok(Self { http, bucket, directory: Directory::default(), ahead: Ahead::default() })
    }

    fn get(&self, path: &str) -> Call {
        self.http.get(&format!("_matrix/client/{path}")).bucket(self.bucket.clone())
    }

    async fn asked<T: DeserializeOwned>(&self, call: Call) -> Result<T, ConnectorError> {
        call.send().await?.json()
    }

    /// A call about a room. When that is refused, who we are tells whether the room is meant, or we.
    async fn of_room(&self, call: Call) -> Result<Reply, ConnectorError> {
        match call.send().await {
            Err(error @ ConnectorError::ChannelNotFound(_)) => match self.who_am_i().await {
                Err(refused @ ConnectorError::Auth(_)) => Err(refused),
                _ => Err(error),
            },
            outcome => outcome,
        }
    }

    pub(super) async fn who_am_i(&self) -> Result<RawWhoAmI, ConnectorError> {
        self.asked(self.get("v3/account/whoami")).await
    }

    /// What is new in one room since a token, and when that was by the server's clock; without a token
    /// its newest event of any kind, and the token of now.
    pub(super) async fn news(
        &self,
        room: &str,
        since: Option<&str>,
    ) -> Result<(RawSync, i64), ConnectorError> {
        let timeline = match since {
            // That we have left is told as somebody's membership, or not at all.
            Some(_) => {
                let types = [READ, &["m.room.member"]].concat();
                json!({"limit": NEWS, "types": types})
            }
            None => newest(),
        };
        let nothing = json!({"types": []});
        let filter = json!({
            "room": {
                "rooms": [room],
                "not_rooms": [never_asked()],
                "timeline": timeline,
                "state": nothing, "ephemeral": nothing, "account_data": nothing,
            },
            "presence": nothing, "account_data": nothing,
        });
        let reply = self.sync(&filter, since).await?;
        let at = reply.served_at().unwrap_or(reply.asked_at).micros() / 1_000;
        Ok((reply.json()?, at))
    }

    /// Names and topics of all rooms that were joined.
    pub(super) async fn rooms(&self) -> Result<RawSync, ConnectorError> {
        let nothing = json!({"types": []});
        let filter = json!({
            "room": {
                "not_rooms": [never_asked()],
                "timeline": newest(),
                "state": {"lazy_load_members": true, "types": super::account::SHOWN},
                "ephemeral": nothing, "account_data": nothing,
            },
            "presence": nothing, "account_data": {"types": ["m.direct"]},
        });
        self.sync(&filter, None).await?.json()
    }

    async fn sync(
        &self,
        filter: &serde_json::Value,
        since: Option<&str>,
    ) -> Result<Reply, ConnectorError> {
        let mut query = vec![
            ("timeout", "0".to_owned()),
            // Who only reads is not there.
            ("set_presence", "offline".to_owned()),
            ("filter", filter.to_string()),
        ];
        query.extend(since.map(|since| ("since", since.to_owned())));
        self.get("v3/sync").query(&query).send().await
    }

    /// A page of history: back from a token, until another. The page behind it is asked for before this one is
    /// read, so that the server works on it meanwhile.
    pub(super) async fn history(
        &self,
        room: &str,
        from: &str,
        to: Option<&str>,
    ) -> Result<History, ConnectorError> {
        let named = |from: &str| format!("{room} {from} {}", to.unwrap_or_default());
        let now = self.of_room(self.messages(room, Some(from), to, PAGE));
        let reply = self.ahead.wanted(&named(from), now).await?;
        let page: RawMessages<'_> = reply.json()?;
        if let Some(next) = page.end.as_deref().filter(|next| !next.is_empty() && *next != from) {
            self.ahead.ask(named(next), self.messages(room, Some(next), to, PAGE).send());
        }
        Ok(History { events: page.events(), end: page.end })
    }

    /// The newest events of a room.
    pub(super) async fn newest(&self, room: &str, limit: usize) -> Result<History, ConnectorError> {
        let reply = self.of_room(self.messages(room, None, None, limit)).await?;
        let page: RawMessages<'_> = reply.json()?;
        Ok(History { events: page.events(), end: page.end })
    }

    fn messages(&self, room: &str, from: Option<&str>, to: Option<&str>, limit: usize) -> Call {
        let filter = json!({"types": READ}).to_string();
        let limit = limit.to_string();
        let mut query = vec![("dir", "b"), ("limit", &limit), ("filter", &filter)];
        query.extend(from.map(|from| ("from", from)));
        query.extend(to.map(|to| ("to", to)));
        let path = format!("v3/rooms/{}/messages", id::part(room));
        self.get(&path).query(&query)
    }

    /// An event as it is now; `None` when it is not shown to us.
    pub(super) async fn event(
        &self,
        room: &str,
        event: &str,
    ) -> Result<Option<RawEvent>, ConnectorError> {
        let path = format!("v3/rooms/{}/event/{}", id::part(room), id::part(event));
        shown(self.asked(self.get(&path)).await)
    }

    /// The newest edits of a message, in any order; none when the server cannot tell.
    pub(super) async fn edits(
        &self,
        room: &str,
        message: &str,
    ) -> Result<Vec<RawEvent>, ConnectorError> {
        let (room, message) = (id::part(room), id::part(message));
        let path = format!("v1/rooms/{room}/relations/{message}/m.replace");
        let call = self.get(&path).query(&[("dir", "b"), ("limit", "50")]);
        match shown(call.send().await)? {
            Some(reply) => Ok(reply.json::<RawMessages<'_>>()?.events()),
            None => Ok(Vec::new()),
        }
    }

    /// The time of the earliest event; `None` when there is none, or the server cannot tell.
    pub(super) async fn earliest(&self, room: &str) -> Result<Option<i64>, ConnectorError> {
        let path = format!("v1/rooms/{}/timestamp_to_event", id::part(room));
        let call = self.get(&path).query(&[("ts", "0"), ("dir", "f")]);
        let earliest: Option<RawClosest> = shown(self.asked(call).await)?;
        Ok(earliest.map(|event| event.origin_server_ts))
    }

    pub(super) async fn members(&self, room: &str) -> Result<RawMembers, ConnectorError> {
        let path = format!("v3/rooms/{}/joined_members", id::part(room));
        Ok(shown(self.asked(self.get(&path)).await)?.unwrap_or_default())
    }

    /// The name of somebody who is not in the room; `None` when nobody tells.
    pub(super) async fn profile(&self, user: &str) -> Result<Option<String>, ConnectorError> {
        let call = self.get(&format!("v3/profile/{}", id::part(user)));
        match self.asked::<RawProfile>(call).await {
            Ok(profile) => Ok(Some(profile.displayname)),
            Err(error @ (ConnectorError::RateLimit { .. } | ConnectorError::Auth(_))) => Err(error),
            // Of another server that may be gone.
            Err(_) => Ok(None),
        }
    }
}

/// A room that there is not, of another name each time: for two minutes the same question without a token
/// would get the same answer.
fn never_asked() -> String {
    format!("!asked-at-{}:nowhere.invalid", chrono::Utc::now().timestamp_micros())
}

/// The newest event, whatever it is: of a room whose newest event is not wanted Synapse says nothing at all.
fn newest() -> serde_json::Value {
    json!({"limit": 1})
}

/// What is not there, not shown, or not known to the server is nothing.
fn shown<T>(outcome: Result<T, ConnectorError>) -> Result<Option<T>, ConnectorError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
