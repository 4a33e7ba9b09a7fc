//! Calls to Slack.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use url::Url;

use super::{
    dialect::{Refusal, Slack},
    pace::{Method, Pace},
    people::Directory,
    reply::{Envelope, Me},
};
use crate::{
    Access, ConnectorError,
    http::{Http, Reply},
    text,
};

const BASE: &str = "https://slack.com/api";

/// Messages of one page, as many as Slack recommends.
pub(super) const PAGE: usize = 200;

/// Longest cursor of Slack's that is kept.
const MAX_CURSOR: usize = 1_000;

/// A workspace, with a token of an app.
pub(in crate::slack) struct Workspace {
    http: Http,
    connection: String,
    /// The workspace that a token of a whole organisation is used for.
    pub(super) team: Option<String>,
    pub(super) pace: Arc<Pace>,
    pub(super) directory: Directory,
    home: OnceCell<Home>,
}

/// What is known of the workspace; walks keep it, so that an increment need not ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Home {
    /// Where messages are shown.
    pub(super) url: String,
    /// What Slack counts calls by: the workspace and the app.
    pub(super) app: String,
}

/// A question: a method and what it is asked with.
pub(super) struct Question<'q> {
    pub(super) method: Method,
    pub(super) form: Vec<(&'static str, String)>,
    pub(super) home: &'q Home,
}

impl Workspace {
    pub(in crate::slack) fn open(access: &Access) -> Result<Self, ConnectorError> {
        let authorization = format!("Bearer {}", access.needed("token")?);
        let base = match &access.base_url {
            Some(base) => base.clone(),
            None => Url::parse(BASE).map_err(|_| ConnectorError::Request("address".into()))?,
        };
        let pace = Arc::new(Pace::default());
        let dialect = Arc::new(Slack { pace: pace.clone() });
        let (client, limiter) = (access.client.clone(), access.limiter.clone());
        let http = Http::new(client, base, Some(&authorization), limiter, dialect)?;
        let (connection, team) = (access.connection.clone(), access.credential("team"));
        let (team, directory) = (team.map(str::to_owned), Directory::default());
        Ok(Self { http, connection, team, pace, directory, home: OnceCell::new() })
    }

    /// Sends a question, as a form: that is what every method takes.
    pub(super) async fn send(&self, question: &Question<'_>) -> Result<Reply, ConnectorError> {
        let whose = match question.home.app.as_str() {
            "" => &self.connection,
            app => app,
        };
        let call = self.http.post(question.method.name()).form(&question.form);
        call.bucket(self.pace.bucket(whose, question.method)).send().await
    }

    /// Asks, with the refusals that the caller does something about.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        question: &Question<'_>,
    ) -> Result<Result<T, Refusal>, ConnectorError> {
        let reply = self.send(question).await?;
        match refusal(&reply)? {
            Some(refusal) => Ok(Err(refusal)),
            None => Ok(Ok(reply.json()?)),
        }
    }

    /// Who we are, once.
    pub(super) async fn home(&self) -> Result<Home, ConnectorError> {
        let home = self.home.get_or_try_init(|| async { Ok(self.me().await?.1) });
        home.await.cloned()
    }

    pub(super) async fn me(&self) -> Result<(Me, Home, Reply), ConnectorError> {
        let asked = Question { method: Method::Me, form: Vec::new(), home: &Home::default() };
        let reply = self.send(&asked).await?;
        let me: Me = reply.json()?;
        let Some(team) = text::id(&me.team_id) else {
            return Err(ConnectorError::Platform(
                "Slack does not say which workspace it is".into(),
            ));
        };
        let account = [&me.bot_id, &me.user_id].into_iter().find_map(|id| text::id(id));
        let app = format!("{team}:{}", account.unwrap_or_default());
        let home = Home { url: place(&me.url), app };
        Ok((me, home, reply))
    }

    /// Adds the workspace that is meant, where the token is for more than one.
    pub(super) fn of_team(
        &self,
        mut form: Vec<(&'static str, String)>,
    ) -> Vec<(&'static str, String)> {
        form.extend(self.team.clone().map(|team| ("team_id", team)));
        form
    }
}

/// The address of a workspace, if it is one that a link may begin with.
fn place(url: &str) -> String {
    let url = Url::parse(url).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http") && url.has_host() && url.as_str().len() <= 500
    });
    url.map(|url| format!("{}/", url.as_str().trim_end_matches('/'))).unwrap_or_default()
}

/// The refusal that a reply is, if it is one that the caller does something about.
pub(super) fn refusal(reply: &Reply) -> Result<Option<Refusal>, ConnectorError> {
    let envelope = Envelope::of(&reply.body).map_err(|error| not_understood(&error))?;
    if envelope.ok { Ok(None) } else { Ok(Refusal::of(&envelope.error)) }
}

/// A reply read in place.
pub(super) fn read<'j, T: Deserialize<'j>>(reply: &'j Reply) -> Result<T, ConnectorError> {
    serde_json::from_slice(&reply.body).map_err(|error| not_understood(&error))
}

fn not_understood(error: &serde_json::Error) -> ConnectorError {
    tracing::debug!(%error, "a reply that is not understood");
    ConnectorError::Platform("an answer that is not Slack's".into())
}

/// A cursor as it may be kept, behind the page that another one led to.
pub(super) fn kept(
    next: Option<String>,
    of: Option<&str>,
) -> Result<Option<String>, ConnectorError> {
    let broken = |what: &str| Err(ConnectorError::Platform(what.into()));
    match next {
        Some(next) if next.len() > MAX_CURSOR => broken("a cursor that is too long"),
        Some(next) if Some(next.as_str()) == of => broken("a cursor that leads to its own page"),
        next => Ok(next),
    }
}
