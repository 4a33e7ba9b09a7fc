//! Calls of a bot.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::de::DeserializeOwned;

use super::{
    dialect::{Discord, GLOBAL, HIDDEN, UNKNOWN_BOT},
    message::is_kept_from_us,
    permission,
    raw::{RawChannel, RawMember, RawMessage, RawRole, RawUser},
    snowflake,
};
use crate::{
    Access, ConnectorError,
    http::{Ahead, Bucket, Call, Http, Reply},
};

const BASE: &str = "https://discord.com/api/v10";

const USER_AGENT: &str =
    concat!("DiscordBot (https://atlas-sync.invalid, ", env!("CARGO_PKG_VERSION"), ")");

/// Messages of one page: the most that Discord gives.
pub(super) const PAGE: usize = 100;

/// Calls in a second of a whole bot; Discord allows 50.
const PER_SECOND: u32 = 45;

/// How long a refusal is believed without asking again: refusals are counted, and too many shut us out.
const BELIEVED: Duration = Duration::from_secs(60);

/// Messages of people that must be empty before we say that their content is kept from us.
const MIN_EMPTY: usize = 3;

pub(super) struct Bot {
    http: Http,
    /// What its calls are counted under: Discord counts a bot's together, whatever servers it is in.
    counted: String,
    pub(super) guild: Option<String>,
    /// The token was refused once: it is not shown again.
    refused: AtomicBool,
    denied: Mutex<HashMap<String, Instant>>,
    proved: Mutex<Option<Instant>>,
    /// The channel whose history we may read, and when that was found.
    readable: Mutex<Option<(String, Instant)>>,
    /// Pages of messages that are on their way.
    ahead: Ahead<Reply>,
}

/// A page of messages of a channel or thread, in a walk that began then.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) channel: &'a str,
    pub(super) before: Option<u64>,
    pub(super) began: i64,
}

impl Asked<'_> {
    fn name(self) -> String {
        let Self { channel, before, began } = self;
        format!("{channel} {} {began}", before.unwrap_or_default())
    }
}

impl Bot {
    pub(super) fn open(access: &Access) -> Result<Self, ConnectorError> {
        let token = access.needed("token")?;
        let authorization = format!("Bot {token}");
        let http = Http::open(access, Some(BASE), &authorization, Arc::new(Discord))?;
        Ok(Self {
            http,
            counted: id_in(token).unwrap_or_else(|| access.connection.clone()),
            guild: access.credential("guild").map(str::to_owned),
            refused: AtomicBool::new(false),
            denied: Mutex::default(),
            proved: Mutex::default(),
            readable: Mutex::default(),
            ahead: Ahead::default(),
        })
    }

    /// A call; Discord counts by route and by the channel or server that is asked about.
    pub(super) fn get(&self, path: &str, route: &str, major: &str) -> Call {
        let second = Duration::from_secs(1);
        let all = format!("discord:{}{GLOBAL}", self.counted);
        let of_route = format!("discord:{}:{route}:{major}", self.counted);
        self.http
            .get(path)
            .header("user-agent", USER_AGENT)
            .bucket(Bucket::new(of_route, PER_SECOND, second, PER_SECOND))
            .bucket(Bucket::new(all, PER_SECOND, second, PER_SECOND))
    }

    pub(super) async fn send(&self, call: Call) -> Result<Reply, ConnectorError> {
        if self.refused.load(Ordering::Relaxed) {
            return Err(ConnectorError::Auth(UNKNOWN_BOT.into()));
        }
        let reply = call.send().await;
        if matches!(reply, Err(ConnectorError::Auth(_))) {
            self.refused.store(true, Ordering::Relaxed);
        }
        reply
    }

    /// A call about a channel or thread. When that is refused, who we are tells whether it is meant, or we.
    pub(super) async fn of_channel<T: DeserializeOwned>(
        &self,
        channel: &str,
        call: Call,
    ) -> Result<T, ConnectorError> {
        self.reply_of_channel(channel, call).await?.json()
    }

    async fn reply_of_channel(&self, channel: &str, call: Call) -> Result<Reply, ConnectorError> {
        let denied = self.lock_denied().get(channel).is_some_and(|at| at.elapsed() < BELIEVED);
        if denied {
            return Err(ConnectorError::ChannelNotFound(HIDDEN.into()));
        }
        match self.send(call).await {
            Err(error @ ConnectorError::ChannelNotFound(_)) => {
                self.prove().await?;
                if error == ConnectorError::ChannelNotFound(HIDDEN.into()) {
                    let mut denied = self.lock_denied();
                    denied.retain(|_, at| at.elapsed() < BELIEVED);
                    denied.insert(channel.to_owned(), Instant::now());
                }
                Err(error)
            }
            reply => reply,
        }
    }

    /// Who we are, once in a while.
    async fn prove(&self) -> Result<(), ConnectorError> {
        let proved = *self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        if proved.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(());
        }
        match self.send(self.get("users/@me", "me", "")).await {
            Err(refused @ ConnectorError::Auth(_)) => return Err(refused),
            Err(_) => {}
            Ok(_) => {
                *self.proved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
        }
        Ok(())
    }

    fn lock_denied(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A channel, and the millisecond in which Discord told of it.
    pub(super) async fn channel(&self, id: &str) -> Result<(RawChannel, i64), ConnectorError> {
        let call = self.get(&format!("channels/{id}"), "channel", id);
        let reply = self.reply_of_channel(id, call).await?;
        let at = reply.served_at().unwrap_or(reply.asked_at).micros() / 1_000;
        Ok((reply.json()?, at))
    }

    /// A page of messages, in any order. An empty one is believed only where the bot may read.
    pub(super) async fn messages(
        &self,
        guild: &str,
        parent: &str,
        asked: Asked<'_>,
    ) -> Result<Vec<RawMessage>, ConnectorError> {
        let now = self.reply_of_channel(asked.channel, self.page(asked));
        let reply = self.ahead.wanted(&asked.name(), now).await?;
        let messages: Vec<RawMessage> = reply.json::<Option<_>>()?.unwrap_or_default();
        if messages.is_empty() && !self.is_believed(guild, parent, asked.channel).await? {
            return Err(ConnectorError::ChannelNotFound(HIDDEN.into()));
        }
        let kept: Vec<bool> = messages.iter().filter_map(is_kept_from_us).collect();
        let empty = kept.iter().filter(|kept| **kept).count();
        if kept.len() >= MIN_EMPTY && empty * 20 > kept.len() * 19 {
            return Err(ConnectorError::Auth(
                "Discord keeps the text of messages from the bot: switch on its Message Content \
                 Intent in the developer portal"
                    .into(),
            ));
        }
        Ok(messages)
    }

    /// Asks for a page that will be wanted next, so that Discord works on it while we work on the one before.
    pub(super) fn look_ahead(&self, asked: Asked<'_>) {
        self.ahead.ask(asked.name(), self.page(asked).send());
    }

    fn page(&self, asked: Asked<'_>) -> Call {
        let path = format!("channels/{}/messages", asked.channel);
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(asked.before.map(|before| ("before", before.to_string())));
        self.get(&path, "messages", asked.channel).query(&query)
    }

    /// Many threads are empty: for those the answer of a moment ago is good enough.
    async fn is_believed(
        &self,
        guild: &str,
        parent: &str,
        channel: &str,
    ) -> Result<bool, ConnectorError> {
        let lock = || self.readable.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lock().clone();
        let is_recent = found.is_some_and(|(of, at)| of == parent && at.elapsed() < BELIEVED);
        if is_recent && channel != parent {
            return Ok(true);
        }
        let may = self.may_read(guild, parent).await?;
        *lock() = may.then(|| (parent.to_owned(), Instant::now()));
        Ok(may)
    }

    async fn may_read(&self, guild: &str, channel: &str) -> Result<bool, ConnectorError> {
        let me: RawUser = self.send(self.get("users/@me", "me", "")).await?.json()?;
        let path = format!("guilds/{guild}/roles");
        let roles: Vec<RawRole> = self.send(self.get(&path, "roles", guild)).await?.json()?;
        let path = format!("guilds/{guild}/members/{}", me.id);
        let member: RawMember = self.send(self.get(&path, "member", guild)).await?.json()?;
        let (channel, _) = self.channel(channel).await?;
        Ok(permission::may_read(guild, &me.id, &roles, &member, &channel))
    }
}

/// A bot's token begins with its id.
fn id_in(token: &str) -> Option<String> {
    let first = token.split('.').next()?.trim_end_matches('=');
    let id = String::from_utf8(STANDARD_NO_PAD.decode(first).ok()?).ok()?;
    snowflake::read(&id).map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::id_in;

    #[test]
    fn a_bot_is_counted_by_the_id_in_its_token() {
        assert_eq!(id_in("MTIzNDU2Nzg5MDEyMzQ1Njc4.x.y").as_deref(), Some("123456789012345678"));
        assert_eq!(
            id_in("MTIzNDU2Nzg5MDEyMzQ1Njc4OQ==.x.y").as_deref(),
            Some("1234567890123456789")
        );
        for other in ["", "token-of-a-bot", "bm8.x.y", "/w==.x.y"] {
            assert_eq!(id_in(other), None, "{other}");
        }
    }
}
