//! Calls to Slack.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use url::Url;

use super::{
    dialect::{Refusal, Slack},
    pace::{Method, Pace},
    people::Directory,
    reply::{Envelope, Me, Search, TeamInfo},
    scopes,
};
use crate::{
    Access, ConnectorError,
    http::{Ahead, Call, Http, Reply},
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
    /// Pages of history that are on their way.
    pub(super) ahead: Ahead<Reply>,
    home: OnceCell<Entry>,
}

/// What Slack says to who comes in.
#[derive(Debug, Clone)]
struct Entry {
    home: Home,
    may_search: bool,
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

impl Question<'_> {
    /// The same for the same question.
    pub(super) fn name(&self) -> String {
        let mut name = self.method.name().to_owned();
        for (_, value) in &self.form {
            name.extend([" ", value]);
        }
        name
    }
}

impl Workspace {
    pub(in crate::slack) fn open(access: &Access) -> Result<Self, ConnectorError> {
        let authorization = format!("Bearer {}", access.needed("token")?);
        let pace = Arc::new(Pace::default());
        let dialect = Arc::new(Slack { pace: pace.clone() });
        let http = Http::open(access, Some(BASE), &authorization, dialect)?;
        let (connection, team) = (access.connection.clone(), access.credential("team"));
        let team = team.map(str::to_owned);
        let (directory, ahead, home) = (Directory::default(), Ahead::default(), OnceCell::new());
        Ok(Self { http, connection, team, pace, directory, ahead, home })
    }

    /// Sends a question, as a form: that is what every method takes.
    pub(super) async fn send(&self, question: &Question<'_>) -> Result<Reply, ConnectorError> {
        self.call(question).send().await
    }

    pub(super) fn call(&self, question: &Question<'_>) -> Call {
        let whose = match question.home.app.as_str() {
            "" => &self.connection,
            app => app,
        };
        let call = self.http.post(question.method.name()).form(&question.form);
        call.bucket(self.pace.bucket(whose, question.method))
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
        Ok(self.home.get_or_try_init(|| self.enter()).await?.home.clone())
    }

    async fn enter(&self) -> Result<Entry, ConnectorError> {
        let (me, mut home, reply) = self.me().await?;
        if let Some(team) = self.team.as_deref().filter(|team| *team != me.team_id) {
            home.url = self.address(team, &home).await?;
        }
        Ok(Entry { home, may_search: scopes::may_search(reply.header("x-oauth-scopes")) })
    }

    /// Where the messages of one workspace of an organisation are shown; where that is not told, the address
    /// of the organisation leads there as well.
    async fn address(&self, team: &str, home: &Home) -> Result<String, ConnectorError> {
        let form = vec![("team", team.to_owned())];
        let asked = self.ask::<TeamInfo>(&Question { method: Method::Team, form, home }).await;
        let told = match asked {
            Ok(Ok(info)) => {
                place(&info.team.url).or_else(|| place_of(&info.team.domain, &home.url))
            }
            Ok(Err(_)) | Err(ConnectorError::Auth(_) | ConnectorError::Request(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(told.unwrap_or_else(|| home.url.clone()))
    }

    /// How many messages a channel has, with replies, as search counts them for people who may search.
    /// Nothing fails for want of the number.
    pub(super) async fn counted(&self, home: &Home, channel: &str) -> Option<u64> {
        self.home.get().filter(|entry| entry.may_search)?;
        let form = vec![("query", format!("in:<#{channel}>")), ("count", "1".to_owned())];
        let question = Question { method: Method::Search, form: self.of_team(form), home };
        let found = self.ask::<Search>(&question).await.ok()?.ok()?;
        found.messages.total
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
        let home = Home { url: place(&me.url).unwrap_or_default(), app };
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
fn place(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| {
        matches!(url.scheme(), "https" | "http") && url.has_host() && url.as_str().len() <= 500
    })?;
    Some(format!("{}/", url.as_str().trim_end_matches('/')))
}

/// The address of a workspace by its name, in the cloud that the organisation's address is of.
fn place_of(domain: &str, organisation: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_name = (1..=63).contains(&domain.len()) && domain.bytes().all(fits);
    let cloud = match Url::parse(organisation).ok()?.host_str()? {
        host if host.ends_with(".slack-gov.com") => "slack-gov.com",
        _ => "slack.com",
    };
    is_name.then(|| format!("https://{domain}.{cloud}/"))
}

/// The refusal that a reply is, if it is one that the caller does something about.
pub(super) fn refusal(reply: &Reply) -> Result<Option<Refusal>, ConnectorError> {
    let envelope = Envelope::of(&reply.body).map_err(|error| not_understood(&error))?;
    if envelope.ok { Ok(None) } else { Ok(Refusal::of(&envelope.error)) }
}

/// A reply read in place.
pub(super) fn read<'j, T: Deserialize<'j>>(reply: &'j Reply) -> Result<T, ConnectorError> {
    reply.parsed().map_err(|error| not_understood(&error))
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
