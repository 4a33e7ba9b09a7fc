//! What Slack answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{CHANNEL, Fake, PEOPLE, SECOND, Said, TOKEN, Workspace, ts};
use crate::server::{answered, dated};

type Form = BTreeMap<String, String>;

fn refused(error: &str) -> Value {
    json!({"ok": false, "error": error})
}

pub(crate) fn person(of: usize) -> Value {
    let (id, name) = PEOPLE[of];
    let team = if id.starts_with('W') { "T2" } else { "T1" };
    json!({"id": id, "team_id": team, "name": name.to_lowercase(), "is_bot": id == "UBOT",
        "deleted": false, "profile": {"display_name": name, "real_name": format!("{name} Smith")}})
}

fn read(ts: &str) -> Option<i64> {
    let (seconds, micros) = ts.split_once('.')?;
    assert_eq!(micros.len(), 6, "a ts that was a number: {ts}");
    Some(seconds.parse::<i64>().ok()? * SECOND + micros.parse::<i64>().ok()?)
}

impl Workspace {
    pub(crate) fn json(&self, at: i64, said: &Said) -> Value {
        let mut message = json!({"type": "message", "user": PEOPLE[said.user].0, "ts": ts(at),
            "text": said.text, "team": "T1"});
        if PEOPLE[said.user].0 == "UBOT" {
            message["bot_id"] = json!("B1");
            message["bot_profile"] = json!({"id": "B1", "name": "Helper"});
        }
        if said.is_tombstone {
            message = json!({"type": "message", "subtype": "tombstone", "user": "USLACKBOT",
                "ts": ts(at), "text": "This message was deleted.", "hidden": true,
                "parent_user_id": "USLACKBOT"});
        }
        if let Some(edited) = said.edited {
            message["edited"] = json!({"user": "U1", "ts": ts(edited)});
        }
        if said.reactions > 0 {
            message["reactions"] =
                json!([{"name": "+1", "users": ["U1"], "count": said.reactions}]);
        }
        if let Some(replies) = self.replies.get(&at).filter(|replies| !replies.is_empty()) {
            message["thread_ts"] = json!(ts(at));
            message["reply_count"] = json!(replies.len());
            message["latest_reply"] = json!(replies.last().map(|last| ts(*last)));
        }
        if let Some(root) = said.root {
            message["thread_ts"] = json!(ts(root));
            message["parent_user_id"] = json!("U1");
        }
        if said.is_broadcast {
            message["subtype"] = json!("thread_broadcast");
            message["root"] = json!({"type": "message", "ts": message["thread_ts"], "text": "…"});
        }
        for (name, value) in said.more.as_object().into_iter().flatten() {
            message[name] = value.clone();
        }
        message
    }

    /// The messages of a window, one page behind a cursor.
    fn page(&mut self, mut all: Vec<i64>, form: &Form, forward: bool) -> Value {
        let bound = |name: &str| form.get(name).and_then(|ts| read(ts));
        let inclusive = i64::from(form.get("inclusive").is_none_or(|value| value != "true"));
        let from = bound("oldest").map_or(0, |at| at + inclusive);
        let to = bound("latest").map_or(i64::MAX, |at| at - inclusive);
        all.retain(|at| (from..=to).contains(at));
        if !forward {
            all.reverse();
        }
        if let Some(cursor) = form.get("cursor").filter(|cursor| !cursor.is_empty()) {
            let behind = cursor.strip_prefix("next:").and_then(|at| at.parse::<i64>().ok());
            let Some(behind) = behind.filter(|_| self.stale == 0) else {
                self.stale = self.stale.saturating_sub(1);
                return refused("invalid_cursor");
            };
            all.retain(|at| if forward { *at > behind } else { *at < behind });
        }
        let limit = form.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100);
        let has_more = all.len() > self.most.min(limit);
        all.truncate(self.most.min(limit));
        let messages: Vec<Value> = all.iter().map(|at| self.json(*at, &self.said[at])).collect();
        let next = if has_more { all.last().map(|at| format!("next:{at}")) } else { None };
        json!({"ok": true, "messages": messages, "has_more": has_more,
            "response_metadata": {"next_cursor": next.unwrap_or_default()}})
    }

    fn history(&mut self, form: &Form) -> Value {
        if !self.is_member {
            return refused("not_in_channel");
        }
        let shown = |said: &Said| said.root.is_none() || said.is_broadcast;
        let all = self.said.range(self.hidden_before..).filter(|(_, said)| shown(said));
        let all: Vec<i64> = all.map(|(at, _)| *at).collect();
        let mut page = self.page(all, form, self.oldest_first);
        page["is_limited"] = json!(self.hidden_before > 0);
        page
    }

    fn replies(&mut self, form: &Form) -> Value {
        let root = form.get("ts").and_then(|ts| read(ts)).unwrap_or_default();
        if self.broken.contains(&root) || !self.said.contains_key(&root) {
            return refused("thread_not_found");
        }
        let replies: Vec<i64> = self.replies.get(&root).into_iter().flatten().copied().collect();
        let mut page = self.page(replies, form, true);
        // The first message comes with every page, whatever is asked for.
        if let Some(messages) = page["messages"].as_array_mut() {
            messages.insert(0, self.json(root, &self.said[&root]));
        }
        page
    }

    /// Apps that are distributed may ask once a minute.
    fn is_too_soon(&mut self, method: &str) -> bool {
        let now = self.now;
        let Some(last) = &mut self.by_the_minute else { return false };
        if !matches!(method, "conversations.history" | "conversations.replies") {
            return false;
        }
        let is_soon = last.get(method).is_some_and(|at| now - at < 60 * SECOND);
        if !is_soon {
            last.insert(method.to_owned(), now);
        }
        is_soon
    }

    fn answer(&mut self, method: &str, form: &Form, token: &str) -> Value {
        if !self.token_is_good || token != format!("Bearer {TOKEN}") {
            return refused("invalid_auth");
        }
        let is_here = form.get("channel").is_none_or(|channel| channel == CHANNEL);
        match method {
            "auth.test" => json!({"ok": true, "url": "https://crew.slack.com/", "team": "Crew",
                "user": "helper", "team_id": "T1", "user_id": "UBOT", "bot_id": "B1"}),
            "conversations.list" => self.channels(form),
            _ if !is_here => refused("channel_not_found"),
            "conversations.info" => {
                json!({"ok": true, "channel": {"id": CHANNEL, "name": "general",
                "created": 1_600_000_000, "is_member": self.is_member, "is_private": false,
                "is_archived": self.is_archived}})
            }
            "conversations.history" => self.history(form),
            "conversations.replies" => self.replies(form),
            "conversations.join" if self.is_archived => refused("is_archived"),
            "conversations.join" if self.may_join => {
                self.is_member = true;
                json!({"ok": true, "channel": {"id": CHANNEL}})
            }
            "conversations.join" => {
                json!({"ok": false, "error": "missing_scope", "needed": "channels:join", "provided": ""})
            }
            "users.list" => {
                let listed: Vec<Value> = (0..3).map(|of| self.member(of)).collect();
                json!({"ok": true, "members": listed, "response_metadata": {"next_cursor": ""}})
            }
            "users.info" => {
                self.strangers += 1;
                let asked = form.get("user").map(String::as_str);
                match PEOPLE.iter().position(|(id, _)| Some(*id) == asked) {
                    Some(of) => json!({"ok": true, "user": self.member(of)}),
                    None => refused("user_not_found"),
                }
            }
            "search.messages" if self.may("search:read") => {
                assert_eq!(form["query"], format!("in:<#{CHANNEL}>"));
                json!({"ok": true, "messages": {"total": self.counted, "matches": []}})
            }
            "search.messages" => refused("not_allowed_token_type"),
            "team.info" if !self.may("team:read") => {
                json!({"ok": false, "error": "missing_scope", "needed": "team:read", "provided": ""})
            }
            "team.info" => json!({"ok": true, "team": {"id": form["team"], "name": "Seven",
                "domain": "seven", "url": "https://seven.slack.com/"}}),
            "bots.info" => json!({"ok": true, "bot": {"id": form.get("bot"), "name": "Deploys"}}),
            _ => refused("unknown_method"),
        }
    }

    fn may(&self, scope: &str) -> bool {
        self.scopes.is_some_and(|scopes| scopes.split(',').any(|granted| granted == scope))
    }

    /// Somebody, whose account may have been deleted since.
    fn member(&self, of: usize) -> Value {
        let mut person = person(of);
        if self.left.contains(&of) {
            person["deleted"] = json!(true);
            person["profile"] = json!({"display_name": "", "real_name": PEOPLE[of].1});
        }
        person
    }

    /// Two pages, the first of them empty.
    fn channels(&self, form: &Form) -> Value {
        let kinds = form.get("types").map(String::as_str).unwrap_or_default();
        if kinds.contains("private") && self.scopes.is_some_and(|s| !s.contains("groups:read")) {
            return json!({"ok": false, "error": "missing_scope", "needed": "groups:read",
                "provided": self.scopes});
        }
        if form.get("cursor").is_none_or(|cursor| cursor.is_empty()) {
            return json!({"ok": true, "channels": [], "response_metadata": {"next_cursor": "more"}});
        }
        json!({"ok": true, "response_metadata": {"next_cursor": ""}, "channels": [
            {"id": CHANNEL, "name": "general", "num_members": 3, "topic": {"value": "What we do"}},
            {"id": "C2", "name": "board", "is_private": true, "topic": {"value": ""},
                "purpose": {"value": "Decisions"}},
            {"id": "D1", "is_im": true}, {"name": 7}]})
    }
}

pub(super) async fn answer(
    State(fake): State<Arc<Fake>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    assert_eq!(method, Method::POST, "not every server takes anything else");
    let mut workspace = fake.lock();
    let called = uri.path().strip_prefix("/api/").unwrap_or_default().to_owned();
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    workspace.log.push((called.clone(), form.clone()));
    let mut response = dated(workspace.now);
    if let Some(scopes) = workspace.scopes {
        response = response.header("x-oauth-scopes", scopes);
    }
    if let Some(at) = workspace.answers.iter().position(|canned| called == canned.0) {
        let (_, status, headers, body) = workspace.answers.remove(at).expect("an answer");
        return answered(response, status, &headers, body.to_string());
    }
    if workspace.is_too_soon(&called) {
        let pause = vec![("retry-after", "60".to_owned())];
        return answered(response, 429, &pause, refused("ratelimited").to_string());
    }
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    let answer = workspace.answer(&called, &form, token.unwrap_or_default());
    drop(workspace);
    answered(response, 200, &Vec::new(), written(answer))
}

/// Slack's replies begin with whether they are one.
fn written(mut answer: Value) -> String {
    let ok = answer.as_object_mut().and_then(|answer| answer.remove("ok"));
    let rest = answer.to_string();
    format!("{{\"ok\":{},{}", ok.unwrap_or_default(), rest.trim_start_matches('{'))
}
