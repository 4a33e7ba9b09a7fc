//! What Discord answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{BOT, FORUM, Fake, GUILD, Guild, NAMES, Said, TEXT, TOKEN, Thread, millis};
use crate::server::{answered, dated};

fn iso(at: i64) -> String {
    let time = DateTime::from_timestamp_millis(at).expect("a time");
    time.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn user(user: usize) -> Value {
    let id = if user == 2 { BOT } else { 7_000 + user as u64 };
    json!({"id": id.to_string(), "username": NAMES[user].to_lowercase().replace(' ', "."),
        "global_name": NAMES[user], "discriminator": "0", "avatar": null, "public_flags": 0, "flags": 0,
        "bot": user == 2, "primary_guild": null, "mfa_enabled": false, "locale": "en-US"})
}

impl Guild {
    fn thread(&self, thread: &Thread) -> Value {
        let count = self.replies.get(&thread.id).copied().unwrap_or_default();
        json!({"id": thread.id.to_string(), "type": if thread.is_private { 12 } else { 11 },
            "guild_id": GUILD.to_string(), "parent_id": thread.parent.to_string(), "name": "a thread",
            "last_message_id": if thread.last == 0 { json!(null) } else { json!(thread.last.to_string()) },
            "message_count": count, "total_message_sent": thread.total, "member_count": 1, "flags": 0,
            "rate_limit_per_user": 0, "owner_id": BOT.to_string(), "thread_metadata": {
                "archived": thread.is_archived, "auto_archive_duration": 60, "locked": false,
                "archive_timestamp": iso(thread.archived_at), "create_timestamp": iso(millis(thread.id))}})
    }

    fn message_json(&self, said: &Said) -> Value {
        let content = if self.reads_content { &said.content } else { "" };
        let reactions = (said.reactions > 0).then(|| {
            json!({"emoji": {"id": null, "name": "👍"}, "count": said.reactions, "burst_colors": [],
                "count_details": {"burst": 0, "normal": said.reactions}, "me": false, "me_burst": false})
        });
        let mut message = json!({"id": said.id.to_string(), "channel_id": said.place.to_string(),
            "type": said.kind, "content": content, "author": user(said.user), "mentions": [],
            "mention_roles": [], "attachments": [], "embeds": [], "components": [], "flags": 0,
            "pinned": false, "mention_everyone": false, "tts": false, "timestamp": iso(millis(said.id)),
            "edited_timestamp": said.edited_at.map(iso)});
        if let Some(reaction) = reactions {
            message["reactions"] = json!([reaction]);
        }
        if let Some(thread) =
            self.threads.iter().find(|t| t.id == said.id && t.parent == said.place)
        {
            message["thread"] = self.thread(thread);
        }
        for (name, value) in said.more.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        message
    }

    fn channel(&self, id: u64) -> Value {
        let denied = if self.reads_history { 0 } else { 1_u64 << 16 };
        json!({"id": id.to_string(), "type": if id == FORUM { 15 } else { 0 }, "flags": 0,
            "guild_id": GUILD.to_string(), "name": if id == FORUM { "help" } else { "general" },
            "topic": "What we do", "position": 0, "parent_id": null, "nsfw": false,
            "last_message_id": self.last.get(&id).map(u64::to_string), "permission_overwrites": [
                {"id": GUILD.to_string(), "type": 0, "allow": "0", "deny": denied.to_string()}]})
    }

    fn messages(&self, place: u64, query: &BTreeMap<String, String>) -> Value {
        let number = |name: &str| query.get(name).and_then(|n| n.parse::<u64>().ok());
        let limit = usize::try_from(number("limit").unwrap_or(50)).expect("a limit").clamp(1, 100);
        let before = number("before").unwrap_or(u64::MAX);
        let mut said: Vec<&Said> =
            self.said.iter().filter(|s| s.place == place && s.id < before).collect();
        said.sort_by_key(|said| std::cmp::Reverse(said.id));
        if !self.reads_history {
            said.clear();
        }
        said.iter().take(limit).map(|said| self.message_json(said)).collect()
    }

    fn threads(&self, mut threads: Vec<&Thread>, limit: usize) -> Value {
        let has_more = threads.len() > limit;
        threads.truncate(limit);
        let threads: Vec<Value> = threads.into_iter().map(|thread| self.thread(thread)).collect();
        json!({"threads": threads, "members": [], "has_more": has_more})
    }

    fn answer(&self, path: &str, query: &BTreeMap<String, String>, token: &str) -> (u16, Value) {
        if !self.token_is_good || token != format!("Bot {TOKEN}") {
            return (401, json!({"message": "401: Unauthorized", "code": 0}));
        }
        let guild = GUILD.to_string();
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        let exists = |id: u64| id == TEXT || id == FORUM || self.threads.iter().any(|t| t.id == id);
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["users", "@me"] => (200, user(2)),
            ["users", "@me", "guilds"] => (200, (0..self.guilds).map(|n| json!({
                "id": (GUILD + 1_000 * n as u64).to_string(), "name": "Crew", "icon": null, "banner": null,
                "owner": false, "permissions": "0", "features": []})).collect()),
            ["guilds", id, "channels"] if *id == guild => (200, json!([
                self.channel(TEXT), self.channel(FORUM), {"id": "5", "type": 2, "name": "voice",
                    "flags": 0, "guild_id": guild, "position": 1}])),
            ["guilds", id, "roles"] if *id == guild => (200, json!([
                {"id": guild, "name": "@everyone", "permissions": ((1_u64 << 10) | (1 << 16)).to_string()}])),
            ["guilds", id, "members", _] if *id == guild => (200, json!({"roles": [], "user": user(2)})),
            ["guilds", id, "threads", "active"] if *id == guild => {
                let active: Vec<&Thread> = self.threads.iter().filter(|t| !t.is_archived).collect();
                (200, self.threads(active, usize::MAX))
            }
            ["guilds", id, "messages", "search"] if *id == guild => {
                let place = query.get("channel_id").map(|id| number(id)).unwrap_or_default();
                let total = self.said.iter().filter(|said| self.is_of(said, place)).count();
                (200, json!({"total_results": total, "messages": [], "analytics_id": "a",
                    "doing_deep_historical_index": false}))
            }
            ["channels", id] if exists(number(id)) => (200, self.channel(number(id))),
            ["channels", id, "messages"] if exists(number(id)) => (200, self.messages(number(id), query)),
            ["channels", id, "threads", "archived", "public"] if exists(number(id)) => {
                let before = query.get("before").map_or(i64::MAX, |time| {
                    DateTime::parse_from_rfc3339(time).expect("a time").timestamp_millis()
                });
                (200, self.archived(number(id), false, query, |thread| thread.archived_at < before))
            }
            ["channels", id, "users", "@me", "threads", "archived", "private"] if exists(number(id)) => {
                let before = query.get("before").map_or(u64::MAX, |id| number(id));
                (200, self.archived(number(id), true, query, |thread| thread.id < before))
            }
            _ => (404, json!({"message": "Unknown Channel", "code": 10_003})),
        }
    }

    fn archived(
        &self,
        parent: u64,
        private: bool,
        query: &BTreeMap<String, String>,
        is_before: impl Fn(&Thread) -> bool,
    ) -> Value {
        let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50);
        let threads = self.threads.iter().filter(|thread| {
            thread.is_archived && thread.parent == parent && thread.is_private == private
        });
        let mut threads: Vec<&Thread> = threads.filter(|thread| is_before(thread)).collect();
        threads
            .sort_by_key(|t| std::cmp::Reverse(if private { millis(t.id) } else { t.archived_at }));
        self.threads(threads, limit)
    }
}

pub(super) async fn answer(
    State(fake): State<Arc<Fake>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let mut guild = fake.lock();
    let path = uri.path().strip_prefix("/api/v10/").unwrap_or_default().to_owned();
    guild.log.push(format!("{method} {path}"));
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    assert!(header("user-agent").starts_with("DiscordBot ("), "every request says who asks");
    let response = dated(guild.now * 1_000);
    if let Some(at) = guild.answers.iter().position(|canned| path.contains(canned.0)) {
        let (_, status, headers, body) = guild.answers.remove(at).expect("an answer");
        return answered(response, status, &headers, body);
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let (status, answer) =
        guild.answer(&path, &query.into_owned().collect(), header("authorization"));
    let response = response.header("content-type", "application/json");
    answered(response, status, &guild.headers, answer.to_string())
}
