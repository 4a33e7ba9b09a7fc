//! A Slack workspace whose export can be imported: as much of the Web API as a sync needs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use axum::{
    Form, Json, Router,
    extract::{Path, State},
    routing::post,
};
use serde_json::{Value, json};

/// A workspace `T1` with one channel, `C1`.
pub struct Workspace {
    /// Where its API answers.
    pub base_url: String,
    said: Arc<Said>,
}

type Said = Mutex<Vec<Value>>;

impl Workspace {
    /// A workspace in which nothing has been said.
    pub async fn start() -> Self {
        let said = Arc::new(Said::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/api", listener.local_addr().unwrap());
        let router = Router::new().route("/api/{method}", post(answer)).with_state(said.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, said }
    }

    /// Says something, so many seconds ago; answers with the message, as an export has it as well.
    pub fn say(&self, seconds_ago: u64, text: &str) -> Value {
        let ts = format!("{}.000100", now() - seconds_ago);
        let message =
            json!({"type": "message", "user": "U1", "team": "T1", "ts": ts, "text": text});
        self.said.lock().unwrap().push(message.clone());
        message
    }

    /// Changes what was said.
    pub fn edit(&self, message: &Value, text: &str) {
        let mut said = self.said.lock().unwrap();
        let message = said.iter_mut().find(|said| said["ts"] == message["ts"]).unwrap();
        message["edited"] = json!({"user": "U1", "ts": format!("{}.000200", now())});
        message["text"] = text.into();
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

async fn answer(
    State(said): State<Arc<Said>>,
    Path(method): Path<String>,
    Form(form): Form<HashMap<String, String>>,
) -> Json<Value> {
    let channel = json!({"id": "C1", "name": "general", "created": 1, "is_private": false});
    Json(match method.as_str() {
        "auth.test" => json!({"ok": true, "url": "https://acme.slack.com/", "team": "Acme",
            "user": "atlas", "team_id": "T1", "user_id": "U9", "bot_id": "B9"}),
        "conversations.list" => json!({"ok": true, "channels": [channel]}),
        "conversations.info" => json!({"ok": true, "channel": channel}),
        "users.list" => json!({"ok": true, "members": [
            {"id": "U1", "team_id": "T1", "name": "ann", "profile": {"display_name": "Ann"}},
        ]}),
        "conversations.history" => {
            // Of one format, so that their order is that of time; newest first, as Slack has it.
            let bound = |name: &str| form.get(name).map(String::as_str).filter(|ts| *ts != "0");
            let within = |message: &&Value| {
                let ts = message["ts"].as_str().unwrap();
                bound("oldest").is_none_or(|oldest| ts >= oldest)
                    && bound("latest").is_none_or(|latest| ts <= latest)
            };
            let said = said.lock().unwrap();
            let mut messages: Vec<&Value> = said.iter().filter(within).collect();
            messages.sort_by_key(|message| std::cmp::Reverse(message["ts"].as_str().unwrap()));
            json!({"ok": true, "messages": messages, "has_more": false})
        }
        _ => json!({"ok": false, "error": "unknown_method"}),
    })
}
