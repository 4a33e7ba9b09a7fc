//! What Microsoft Graph answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Response, Uri},
};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{CHANNEL, EXPANDED, Fake, NAMES, SECRET, Said, TEAM, TENANT, Tenant, Thread};
use crate::server::{answered, dated};

type Query = BTreeMap<String, String>;

fn iso(at: i64) -> String {
    let time = DateTime::from_timestamp_millis(at).expect("a time");
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn message(said: &Said, root: Option<i64>) -> Value {
    let from = match said.user {
        2 => json!({"user": null, "device": null, "application": {"id": "app-2",
            "displayName": NAMES[2], "applicationIdentityType": "bot"}}),
        user => json!({"application": null, "device": null, "user": {"id": format!("user-{user}"),
            "displayName": NAMES[user], "userIdentityType": "aadUser"}}),
    };
    let text = if said.deleted_at.is_some() { "" } else { &said.text };
    let reaction = |n: usize| {
        json!({"reactionType": "like", "displayName": "Like", "createdDateTime": iso(said.id),
            "user": {"user": {"id": format!("user-{n}"), "displayName": null}}})
    };
    let mut message = json!({"id": said.id.to_string(), "replyToId": root.map(|root| root.to_string()),
        "etag": said.id.to_string(), "messageType": "message", "createdDateTime": iso(said.id),
        "lastModifiedDateTime": iso(said.id), "lastEditedDateTime": said.edited_at.map(iso),
        "deletedDateTime": said.deleted_at.map(iso), "subject": null, "summary": null, "chatId": null,
        "importance": "normal", "locale": "en-us", "policyViolation": null, "eventDetail": null,
        "webUrl": format!("https://teams.example/l/message/{}", said.id), "from": from,
        "body": {"contentType": "html", "content": format!("<p>{text}</p>")}, "attachments": [],
        "mentions": [], "reactions": (0..said.reactions).map(reaction).collect::<Vec<_>>(),
        "channelIdentity": {"teamId": TEAM, "channelId": CHANNEL}});
    for (name, value) in said.more.as_object().into_iter().flatten() {
        message[name] = value.clone();
    }
    message
}

impl Tenant {
    fn thread_json(&self, thread: &Thread, expand: bool, base: &str) -> Value {
        if thread.is_purged {
            return json!({"id": thread.first.id.to_string(), "@removed": {"reason": "deleted"}});
        }
        let mut answer = message(&thread.first, None);
        answer["lastModifiedDateTime"] = json!(iso(thread.modified_at));
        if expand {
            let root = thread.first.id;
            // The newest come first.
            let replies = thread.replies.iter().rev().take(EXPANDED);
            answer["replies"] = replies.map(|reply| message(reply, Some(root))).collect();
            if thread.replies.len() > EXPANDED {
                answer["replies@odata.nextLink"] =
                    json!(format!("{base}/{root}/replies?$top=50&$skiptoken={EXPANDED}"));
            }
        }
        answer
    }

    fn list(&self, query: &Query, base: &str) -> Value {
        let number = |name: &str| query.get(name).and_then(|n| n.parse::<usize>().ok());
        let (from, top) = (number("$skiptoken").unwrap_or(0), number("$top").unwrap_or(20).min(50));
        let mut threads: Vec<&Thread> = self.threads.iter().filter(|t| !t.is_purged).collect();
        threads.sort_by_key(|thread| std::cmp::Reverse(thread.change));
        let expand = query.get("$expand").is_some_and(|expand| expand == "replies");
        let page = threads.iter().skip(from).take(top).map(|t| self.thread_json(t, expand, base));
        let mut answer = json!({"value": page.collect::<Vec<_>>(), "@odata.count": top});
        if threads.len() > from + top {
            let expand = if expand { "&$expand=replies" } else { "" };
            answer["@odata.nextLink"] =
                json!(format!("{base}?$top={top}{expand}&$skiptoken={}", from + top));
        }
        answer
    }

    fn replies(&self, root: &str, query: &Query, base: &str) -> (u16, Value) {
        let number = |name: &str| query.get(name).and_then(|n| n.parse::<usize>().ok());
        let (from, top) = (number("$skiptoken").unwrap_or(0), number("$top").unwrap_or(20).min(7));
        let thread = self.threads.iter().find(|t| t.first.id.to_string() == root && !t.is_purged);
        let Some(thread) = thread else { return not_found() };
        let replies = thread.replies.iter().rev().skip(from).take(top);
        let replies: Vec<Value> = replies.map(|r| message(r, Some(thread.first.id))).collect();
        let mut answer = json!({"value": replies});
        if thread.replies.len() > from + top {
            answer["@odata.nextLink"] =
                json!(format!("{base}/{root}/replies?$top={top}&$skiptoken={}", from + top));
        }
        (200, answer)
    }

    /// A token is the changes that are told, from and to, and how many of them have been.
    fn delta(&self, query: &Query, base: &str) -> (u16, Value) {
        let token = query.get("$deltatoken").or_else(|| query.get("$skiptoken"));
        let token: Option<Vec<u64>> =
            token.map(|token| token.split('-').filter_map(|part| part.parse().ok()).collect());
        let after = query.get("$filter").and_then(|f| f.strip_prefix("lastModifiedDateTime gt "));
        let after = after.map_or(i64::MIN, |time| {
            DateTime::parse_from_rfc3339(time).expect("a time").timestamp_millis()
        });
        // Changes are told of eight months.
        let after = after.max(self.now - 240 * 24 * 60 * 60 * 1_000);
        let (from, to, told, expand) = match token.as_deref() {
            Some([from, expand]) => (*from, self.made, 0, *expand),
            Some([from, to, told, expand]) => (*from, *to, *told, *expand),
            _ => {
                let oldest = self.threads.iter().filter(|thread| thread.modified_at > after);
                let from = oldest.map(|thread| thread.change - 1).min().unwrap_or(self.made);
                (from, self.made, 0, u64::from(query.contains_key("$expand")))
            }
        };
        if query.contains_key("$deltatoken") && from < self.expired {
            return (410, json!({"error": {"code": "syncStateNotFound", "message": "gone"}}));
        }
        let changed = self.threads.iter().filter(|t| t.change > from && t.change <= to);
        let mut changed: Vec<&Thread> = changed.collect();
        changed.sort_by_key(|thread| thread.change);
        // What changed after the token was given comes with the next link; what is told is as it is now.
        let page: Vec<&&Thread> = changed.iter().filter(|t| t.change > told).take(20).collect();
        let last = page.last().map_or(to, |thread| thread.change);
        let value: Vec<Value> =
            page.iter().map(|t| self.thread_json(t, expand == 1, base)).collect();
        let mut answer = json!({"value": value});
        if changed.iter().any(|thread| thread.change > last) {
            let token = format!("{from}-{to}-{last}-{expand}");
            answer["@odata.nextLink"] = json!(format!("{base}/delta?$skiptoken={token}"));
        } else {
            answer["@odata.deltaLink"] = json!(format!("{base}/delta?$deltatoken={to}-{expand}"));
        }
        (200, answer)
    }

    fn answer(&self, origin: &str, path: &str, query: &Query) -> (u16, Value) {
        let base = format!("{origin}/v1.0/teams/{TEAM}/channels/19%3Aabc%40thread.tacv2/messages");
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["organization"] => (200, json!({"value": [{"id": TENANT, "displayName": "Contoso"}]})),
            ["teams"] => (
                200,
                json!({"value": [{"id": TEAM, "displayName": "Crew"},
                {"id": "0a1b2c3d-0000-4000-8000-000000000003", "displayName": "Foreign"}]}),
            ),
            ["teams", TEAM, "channels"] => (
                200,
                json!({"value": [
                {"id": CHANNEL, "displayName": "General", "description": "What we do",
                    "membershipType": "standard"},
                {"id": "19:def@thread.tacv2", "displayName": "Board", "membershipType": "private"}]}),
            ),
            ["teams", TEAM, "channels", CHANNEL, ..] if !self.is_allowed => (
                403,
                json!({"error": {"code": "Forbidden", "message": "Missing role permissions"}}),
            ),
            ["teams", TEAM, "channels", CHANNEL, rest @ ..] if self.exists => match rest {
                ["messages"] => (200, self.list(query, &base)),
                ["messages", "delta"] => self.delta(query, &base),
                ["messages", root, "replies"] => self.replies(root, query, &base),
                _ => not_found(),
            },
            _ => not_found(),
        }
    }

    fn token(&mut self, body: &[u8]) -> (u16, Value) {
        let form: Query = form_urlencoded::parse(body).into_owned().collect();
        let is_ours = form.get("client_secret").is_some_and(|secret| secret == SECRET);
        assert!(form.get("scope").is_some_and(|scope| scope.ends_with("/.default")));
        if !self.secret_is_good || !is_ours {
            return (
                401,
                json!({"error": "invalid_client", "error_codes": [7_000_215],
                "error_description": "AADSTS7000215: Invalid client secret provided."}),
            );
        }
        self.tokens += 1;
        (
            200,
            json!({"token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599,
            "access_token": format!("token-{}", self.tokens)}),
        )
    }
}

fn not_found() -> (u16, Value) {
    (404, json!({"error": {"code": "NotFound", "message": "NotFound"}}))
}

pub(super) async fn answer(
    State(fake): State<Arc<Fake>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut tenant = fake.lock();
    let path = uri.path().replace("%3A", ":").replace("%40", "@");
    let address = uri.to_string();
    tenant.log.push(format!("{method} {path}"));
    if path.starts_with("/v1.0/") {
        let told = headers.get("prefer").and_then(|value| value.to_str().ok());
        assert_eq!(
            told,
            Some("include-unknown-enum-members"),
            "else system messages look like others"
        );
    }
    let response = dated(tenant.now * 1_000);
    if let Some(at) = tenant.answers.iter().position(|canned| address.contains(canned.0)) {
        let (_, status, headers, body) = tenant.answers.remove(at).expect("an answer");
        return answered(response, status, &headers, body);
    }
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = header("authorization").strip_prefix("Bearer token-").map(str::parse::<u64>);
    let (status, answer) = match path.strip_prefix("/v1.0/") {
        None if path == format!("/{TENANT}/oauth2/v2.0/token") => tenant.token(&body),
        Some(path) => match token {
            Some(Ok(token)) if token > tenant.refused_tokens && token <= tenant.tokens => {
                let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
                tenant.answer(&fake.url, path, &query.into_owned().collect())
            }
            _ => (
                401,
                json!({"error": {"code": "InvalidAuthenticationToken", "message": "expired"}}),
            ),
        },
        None => not_found(),
    };
    let response = response.header("content-type", "application/json");
    answered(response, status, &Vec::new(), answer.to_string())
}
