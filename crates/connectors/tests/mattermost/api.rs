//! What the server answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{CHANNEL, Fake, NAMES, Post, Server, TEAM, TOKEN, user_id};
use crate::server::{answered, dated};

impl Server {
    fn is_shown(&self, post: &Post) -> bool {
        post.delete_at == 0 && post.create_at > self.hidden_to
    }

    /// How many replies each first post has.
    fn replies(&self) -> BTreeMap<&str, usize> {
        let mut replies = BTreeMap::new();
        for post in self.posts.iter().filter(|post| post.delete_at == 0) {
            *replies.entry(post.root_id.as_str()).or_default() += 1;
        }
        replies
    }

    fn json(&self, post: &Post, replies: &BTreeMap<&str, usize>) -> Value {
        let root = if post.root_id.is_empty() { &post.id } else { &post.root_id };
        let replies = replies.get(root.as_str()).copied().unwrap_or_default();
        let gone = post.delete_at > 0 && post.original_id.is_empty() && self.blanks_deleted;
        let reactions = post.reactions.iter().map(|(user, name)| {
            json!({"user_id": user_id(*user), "post_id": post.id, "emoji_name": name,
                "create_at": post.update_at, "update_at": post.update_at, "delete_at": 0,
                "remote_id": "", "channel_id": CHANNEL})
        });
        json!({
            "id": post.id, "create_at": post.create_at, "update_at": post.update_at,
            "edit_at": post.edit_at, "delete_at": post.delete_at, "is_pinned": false,
            "user_id": user_id(post.user), "channel_id": CHANNEL, "root_id": post.root_id,
            "original_id": post.original_id, "message": if gone { "" } else { &post.message },
            "type": post.kind, "props": post.props, "hashtags": "", "pending_post_id": "",
            "reply_count": replies, "last_reply_at": 0, "participants": null,
            "state": if gone { json!("DELETED") } else { json!(null) },
            "metadata": {"embeds": null, "emojis": null, "files": post.files,
                "reactions": reactions.collect::<Vec<_>>()},
        })
    }

    fn list(&self, order: &[&Post], extra: impl Iterator<Item = String>, paged: bool) -> Value {
        let mut ids: Vec<&str> = order.iter().map(|post| post.id.as_str()).collect();
        if !paged {
            ids.reverse();
        }
        let shown: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).chain(extra).collect();
        let posts = self.posts.iter().filter(|post| shown.contains(&post.id));
        let replies = self.replies();
        let posts = posts.map(|post| (post.id.clone(), self.json(post, &replies)));
        let posts: BTreeMap<_, _> = posts.collect();
        // The server looks for a post of an earlier time, so it does not see those of the same.
        let last = order.iter().map(|post| post.create_at).min().unwrap_or(i64::MIN);
        let before = self.posts.iter().filter(|p| p.delete_at == 0 && p.create_at < last);
        let before = before.max_by_key(|post| post.create_at).filter(|_| paged);
        json!({"order": ids, "posts": posts, "next_post_id": "", "has_next": false,
            "prev_post_id": before.map(|post| post.id.clone()).unwrap_or_default(),
            "first_inaccessible_post_time": self.hidden_to})
    }

    fn posts(&mut self, query: &BTreeMap<String, String>) -> Value {
        assert!(!query.contains_key("collapsedThreads"), "it would keep late replies back");
        let number = |name: &str| query.get(name).and_then(|n| n.parse::<usize>().ok());
        if let Some(since) = query.get("since").and_then(|since| since.parse::<i64>().ok()) {
            if self.lies > 0 {
                self.lies -= 1;
                return self.list(&[], std::iter::empty(), false);
            }
            // Whatever the index gives first.
            let mut changed: Vec<&Post> =
                self.posts.iter().filter(|p| p.update_at > since).collect();
            changed.sort_by(|a, b| a.id.cmp(&b.id));
            changed.truncate(1_000);
            changed.sort_by_key(|post| post.create_at);
            let roots: Vec<String> = changed.iter().map(|post| post.root_id.clone()).collect();
            return self.list(&changed, roots.into_iter(), false);
        }
        let per_page = number("per_page").unwrap_or(60).clamp(1, 200);
        let page = number("page").unwrap_or(0);
        let before = query.get("before").and_then(|id| self.posts.iter().find(|p| p.id == *id));
        let before = before.map_or(i64::MAX, |post| post.create_at);
        let mut listed: Vec<&Post> = self
            .posts
            .iter()
            .filter(|post| self.is_shown(post) && post.create_at < before)
            .collect();
        listed.sort_by(|a, b| b.create_at.cmp(&a.create_at).then_with(|| a.id.cmp(&b.id)));
        let listed: Vec<&Post> = listed.into_iter().skip(page * per_page).take(per_page).collect();
        let roots: BTreeSet<&str> = listed.iter().map(|post| post.root_id.as_str()).collect();
        let roots = self.posts.iter().filter(|p| roots.contains(p.id.as_str()) && self.is_shown(p));
        let roots: Vec<String> = roots.map(|post| post.id.clone()).collect();
        self.list(&listed, roots.into_iter(), true)
    }

    fn user(user: usize) -> Value {
        let (username, name, is_bot) = NAMES[user];
        let (first, last) = name.split_once(' ').unwrap_or((name, ""));
        json!({"id": user_id(user), "username": username, "first_name": first, "last_name": last,
            "nickname": "", "is_bot": is_bot, "delete_at": 0, "roles": "system_user"})
    }

    fn answer(
        &mut self,
        method: &Method,
        uri: &Uri,
        body: &[u8],
        headers: &HeaderMap,
    ) -> (u16, Value) {
        let refused = |id: &str, status: u16| {
            (
                status,
                json!({"id": id, "message": "refused", "detailed_error": "",
                "request_id": "r", "status_code": status}),
            )
        };
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        // In any case, as the vendor's own client writes it in capitals.
        let token = token.and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if !self.token_is_good || token.map(|(_, token)| token) != Some(TOKEN) {
            return refused("api.context.session_expired.app_error", 401);
        }
        let path = uri.path().strip_prefix("/api/v4/").unwrap_or_default();
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<String, String> = query.into_owned().collect();
        let asked = || serde_json::from_slice::<Vec<String>>(body).unwrap_or_default();
        let users = |matches: &dyn Fn(usize) -> bool| {
            let found = (0..NAMES.len()).filter(|user| matches(*user)).map(Self::user);
            (200, Value::Array(found.collect()))
        };
        match (method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
            ("GET", ["users", "me"]) => (200, Self::user(2)),
            ("GET", ["users", "me", "teams"]) => (200, json!([{"id": TEAM, "name": "crew"}])),
            ("GET", ["users", "me", "teams", TEAM, "channels"]) => (
                200,
                json!([
                    self.channel("O", CHANNEL, "General"),
                    self.channel("D", "directdirectdirectdirect01", ""),
                    self.channel("P", "privateprivateprivate00001", "Board"),
                ]),
            ),
            ("GET", ["config", "client"]) => {
                (200, json!({"DiagnosticId": "diagnosticdiagnosticdiag00", "SiteName": "Crew"}))
            }
            ("POST", ["users", "ids"]) => users(&|user| asked().contains(&user_id(user))),
            ("POST", ["users", "usernames"]) => {
                users(&|user| asked().iter().any(|name| name == NAMES[user].0))
            }
            ("GET", ["channels", CHANNEL, ..]) if !self.is_member => {
                refused("api.context.permissions.app_error", 403)
            }
            ("GET", ["channels", CHANNEL]) if self.exists => {
                (200, self.channel("O", CHANNEL, "General"))
            }
            ("GET", ["channels", CHANNEL, "posts"]) if self.exists => (200, self.posts(&query)),
            _ => refused("app.channel.get.existing.app_error", 404),
        }
    }

    fn channel(&self, kind: &str, id: &str, name: &str) -> Value {
        let own = self.posts.iter().filter(|post| post.original_id.is_empty());
        let count = own.clone().filter(|post| post.kind.is_empty()).count();
        json!({"id": id, "create_at": 1, "update_at": 1, "delete_at": 0, "team_id": TEAM,
            "type": kind, "display_name": name, "name": name.to_lowercase(), "header": "",
            "purpose": "What we do", "total_msg_count": count,
            "last_post_at": own.map(|post| post.create_at).max().unwrap_or_default(),
            "total_msg_count_root": count, "creator_id": "", "scheme_id": null, "props": null})
    }
}

pub(super) async fn answer(
    State(fake): State<Arc<Fake>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut server = fake.lock();
    server.log.push(format!("{method} {}", uri.path()));
    let response = dated(server.now * 1_000);
    if let Some((status, headers, body)) = server.answers.pop_front() {
        return answered(response, status, &headers, body);
    }
    let (status, answer) = server.answer(&method, &uri, &body, &headers);
    let response = response.header("content-type", "application/json");
    answered(response, status, &server.headers, answer.to_string())
}
