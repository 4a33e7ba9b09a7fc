//! Links, and tokens of a whole Enterprise Grid.

use connectors::{ConnectorError, slack};
use serde_json::json;

use crate::{
    account,
    fake::{CHANNEL, Fake, TOKEN, ts},
    mirror,
    platform::{self, Changing as _},
    walked,
};

#[tokio::test]
async fn a_link_to_each_message_is_made_without_a_call() {
    let fake = Fake::start().await;
    let root = fake.talk(1)[0];
    let reply = fake.lock().say(Some(root), 1, "a reply");
    let mirror = walked(&fake, &*account(&fake)).await;
    let link = |at: i64| mirror.live()[&ts(at).as_str().into()].permalink.clone().expect("a link");
    let plain = |at: i64| ts(at).replace('.', "");
    assert_eq!(link(root), format!("https://crew.slack.com/archives/{CHANNEL}/p{}", plain(root)));
    let threaded = format!("?thread_ts={}&cid={CHANNEL}", ts(root));
    assert!(link(reply).ends_with(&format!("p{}{threaded}", plain(reply))), "{}", link(reply));
}

#[tokio::test]
async fn a_token_of_an_organisation_is_used_for_one_workspace() {
    let fake = Fake::start().await;
    let credentials = json!({"token": TOKEN, "team": "T7"});
    let app = slack::open(platform::access(&fake.url, credentials)).expect("an account");
    assert_eq!(app.identity().await.expect("an identity").workspace, "T7");
    fake.talk(1);
    walked(&fake, &*app).await;
    app.channels().await.expect("channels");
    let log = std::mem::take(&mut fake.lock().log);
    let listed = log.iter().filter(|(method, _)| method == "conversations.list");
    assert!(listed.map(|(_, form)| &form["team_id"]).all(|team| team == "T7"));
}

/// The link to the one message there is, as a token of the organisation reads it in a workspace.
async fn link(fake: &Fake) -> String {
    let me = json!({"ok": true, "url": "https://acme.enterprise.slack.com/", "team": "Acme",
        "user": "helper", "team_id": "E1", "user_id": "UBOT", "bot_id": "B1",
        "is_enterprise_install": true});
    fake.lock().answers.push_back(("auth.test", 200, vec![], me));
    let credentials = json!({"token": TOKEN, "team": "T7"});
    let app = slack::open(platform::access(&fake.url, credentials)).expect("an account");
    let mirror = mirror();
    fake.calm();
    mirror.walk(&*app).await.expect("a walk");
    let message = mirror.live().into_values().next().expect("a message");
    message.permalink.expect("a link")
}

#[tokio::test]
async fn links_of_an_organisation_lead_into_the_workspace_that_is_read() {
    let fake = Fake::start().await;
    let at = fake.talk(1)[0];
    let place = format!("archives/{CHANNEL}/p{}", ts(at).replace('.', ""));
    let (own, whole) = ("https://seven.slack.com/", "https://acme.enterprise.slack.com/");
    assert_eq!(
        link(&fake).await,
        format!("{whole}{place}"),
        "what it may not ask it does not know"
    );
    fake.lock().scopes = Some("channels:read,channels:history,users:read,team:read");
    assert_eq!(link(&fake).await, format!("{own}{place}"));
    for (team, base) in [
        (json!({"domain": "seven"}), own),
        (json!({"domain": "seven.evil.example/"}), whole),
        (json!({"url": "javascript:alert(1)"}), whole),
        (json!([]), whole),
    ] {
        let told = json!({"ok": true, "team": team});
        fake.lock().answers.push_back(("team.info", 200, vec![], told));
        assert_eq!(link(&fake).await, format!("{base}{place}"), "{team}");
    }
}

#[tokio::test]
async fn a_token_of_an_organisation_needs_to_be_told_which_workspace_is_meant() {
    let fake = Fake::start().await;
    let me = json!({"ok": true, "url": "https://acme.enterprise.slack.com/", "team_id": "E1",
        "user_id": "UBOT", "is_enterprise_install": true});
    fake.lock().answers.push_back(("auth.test", 200, vec![], me));
    let error = account(&fake).identity().await.expect_err("which workspace is not said");
    assert!(matches!(error, ConnectorError::Auth(_)), "{error:?}");
    assert!(error.to_string().contains("as team"), "{error}");
}
