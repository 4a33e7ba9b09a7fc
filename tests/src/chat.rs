//! A chat server that people might run themselves: as much of Mattermost's API as a sync needs.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::watch;

/// A running server.
pub struct Chat {
    /// Where it answers.
    pub base_url: String,
    state: Arc<Shared>,
}

struct Shared {
    /// Tells it from other servers.
    name: String,
    inner: Mutex<Inner>,
    /// Whether lists of posts are answered; who waits for one listens.
    open: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    tokens: BTreeSet<String>,
    /// By channel, in order of time.
    posts: BTreeMap<String, Vec<(u64, String)>>,
    /// When the last was said, in milliseconds since the epoch.
    said_at: u64,
    /// Until then everybody is asked to slow down.
    slow_until: Option<Instant>,
    refused: u64,
}

impl Chat {
    /// A server that takes this token.
    pub async fn start(token: &str) -> Self {
        Self::start_as("server", token).await
    }

    /// Likewise, one that is told from others by this name.
    pub async fn start_as(name: &str, token: &str) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            inner: Mutex::default(),
            open: watch::Sender::new(true),
        };
        let state = Arc::new(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/api/v4/users/me", get(me))
            .route("/api/v4/config/client", get(config))
            .route("/api/v4/users/me/teams", get(teams))
            .route("/api/v4/users/me/teams/{team}/channels", get(channels))
            .route("/api/v4/users/ids", post(people))
            .route("/api/v4/channels/{channel}", get(channel))
            .route("/api/v4/channels/{channel}/posts", get(posts))
            .layer(middleware::from_fn_with_state(state.clone(), require_token))
            .with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let chat = Self { base_url, state };
        chat.take_only(&[token]);
        chat
    }

    /// The tokens it takes from here on.
    pub fn take_only(&self, tokens: &[&str]) {
        self.state.lock().tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    }

    /// Says something; answers with the id of the channel.
    pub fn say(&self, channel: &str, text: &str) -> String {
        let mut inner = self.state.lock();
        let at = now().max(inner.said_at + 1);
        inner.said_at = at;
        let id = id_of(channel);
        inner.posts.entry(id.clone()).or_default().push((at, text.to_owned()));
        id
    }

    /// Asks everybody to slow down, for so long.
    pub fn slow_down(&self, pause: Duration) {
        self.state.lock().slow_until = Some(Instant::now() + pause);
    }

    /// How often it has asked somebody to slow down.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.state.lock().refused
    }

    /// Lists of posts are answered no more until [`Chat::resume`].
    pub fn hold(&self) {
        self.state.open.send_replace(false);
    }

    /// Whether somebody waits for a list.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        self.state.open.receiver_count() > 0
    }

    /// Answers again.
    pub fn resume(&self) {
        self.state.open.send_replace(true);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    /// For how long it asks to slow down, in seconds.
    fn refusal(&mut self) -> Option<String> {
        let left = self.slow_until?.checked_duration_since(Instant::now())?;
        self.refused += 1;
        Some(format!("{:.3}", left.as_secs_f64()))
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// Ids have 26 letters and digits.
fn id_of(name: &str) -> String {
    format!("{name:x<26}")
}

async fn require_token(
    State(state): State<Arc<Shared>>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if let Some(pause) = state.lock().refusal() {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, pause)]).into_response();
    }
    let known = state.lock().tokens.contains(token);
    if known {
        return next.run(request).await;
    }
    // Servers are known to repeat what they do not take.
    let refusal = json!({"id": "api.context.session_expired.app_error", "message": given});
    (StatusCode::UNAUTHORIZED, Json(refusal)).into_response()
}

async fn me() -> Json<Value> {
    Json(json!({"id": id_of("bot"), "username": "atlas", "is_bot": true}))
}

async fn config(State(state): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"DiagnosticId": id_of(&state.name), "SiteName": "Beacon Chat"}))
}

async fn teams() -> Json<Value> {
    Json(json!([{"id": id_of("team")}]))
}

async fn channels(State(state): State<Arc<Shared>>) -> Json<Value> {
    let inner = state.lock();
    let channel = |id: &String| json!({"id": id, "type": "O", "name": id.trim_end_matches('x')});
    Json(inner.posts.keys().map(channel).collect())
}

async fn people(body: Bytes) -> Json<Value> {
    let ids: Vec<String> = serde_json::from_slice(&body).unwrap();
    Json(ids.iter().map(|id| json!({"id": id, "username": "ann", "nickname": "Ann"})).collect())
}

async fn channel(State(state): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let inner = state.lock();
    let Some(posts) = inner.posts.get(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let last = posts.last().map_or(0, |(at, _)| *at);
    Json(json!({"id": id, "type": "O", "total_msg_count": posts.len(), "last_post_at": last}))
        .into_response()
}

async fn posts(
    State(state): State<Arc<Shared>>,
    Path(channel): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Json<Value> {
    state.open.subscribe().wait_for(|open| *open).await.unwrap();
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let inner = state.lock();
    let all = inner.posts.get(&channel).map(Vec::as_slice).unwrap_or_default();
    let mut list: Vec<_> = all.iter().rev().collect();
    if let Some(since) = number("since") {
        list.retain(|(at, _)| *at > since);
    }
    if let Some(before) = query.get("before") {
        list.retain(|(at, _)| post_id(*at) < *before);
    }
    let oldest = all.first().map_or(0, |(at, _)| *at);
    let per_page = usize::try_from(number("per_page").unwrap_or(1_000)).unwrap();
    let page = usize::try_from(number("page").unwrap_or(0)).unwrap();
    let list: Vec<_> = list.into_iter().skip(page * per_page).take(per_page).collect();
    let first = list.last().is_none_or(|(at, _)| *at == oldest);
    let post = |(at, text): &(u64, String)| {
        let id = post_id(*at);
        let post = json!({"id": id, "create_at": at, "update_at": at, "user_id": id_of("ann"), "message": text});
        (id, post)
    };
    let posts: serde_json::Map<String, Value> = list.iter().map(|said| post(said)).collect();
    let order: Vec<String> = list.iter().map(|(at, _)| post_id(*at)).collect();
    let before = if first { "" } else { "more" };
    Json(json!({"order": order, "posts": posts, "prev_post_id": before}))
}

/// In order of time as well.
fn post_id(at: u64) -> String {
    format!("{at:0>26}")
}
