//! Mattermost, against a server of our own that has its traps.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "mattermost/fake.rs"]
mod fake;
mod platform;
#[path = "platform/race.rs"]
mod race;
#[path = "mattermost/rate.rs"]
mod rate;
#[path = "platform/server.rs"]
mod server;

use std::{sync::Arc, time::Duration};

use connectors::{Account, ConnectorError, contract::Mirror, mattermost};
use domain::{Classify as _, ErrorCode, Platform, message::AuthorKind};
use fake::{CHANNEL, Fake, TOKEN};
use platform::{Dice, Noting, assert_same, channel, stays_equal, stored};
use serde_json::json;

fn account(fake: &Fake) -> Arc<dyn Account> {
    mattermost::open(platform::access(&fake.url, json!({"token": TOKEN}))).expect("an account")
}

fn mirror() -> Mirror {
    Mirror::new(channel(Platform::Mattermost, CHANNEL))
}

async fn walked(fake: &Fake, account: &dyn Account) -> Mirror {
    let mirror = mirror();
    mirror.walk(account).await.expect("a walk");
    assert_same(&platform::Changing::rows(fake), &stored(&mirror));
    fake.requests();
    mirror
}

#[tokio::test]
async fn whatever_happens_meanwhile_our_rows_are_the_platforms_in_the_end() {
    for seed in 0..50 {
        let fake = Fake::start().await;
        let mut dice = Dice::new(seed);
        fake.lock().blanks_deleted = seed % 2 == 0;
        for _ in 0..dice.below(700) {
            platform::Changing::change(&*fake, &mut dice);
        }
        let channel = channel(Platform::Mattermost, CHANNEL);
        stays_equal(&*fake, &*account(&fake), channel, &mut dice).await;
    }
}

#[tokio::test]
async fn who_we_are_and_what_there_is_to_read() {
    let fake = Fake::start().await;
    let account = account(&fake);
    let identity = account.identity().await.expect("an identity");
    assert_eq!(identity.workspace, "diagnosticdiagnosticdiag00");
    assert_eq!((identity.workspace_name.as_str(), identity.account.as_str()), ("Crew", "helper"));
    let channels = account.channels().await.expect("channels");
    let named: Vec<_> = channels.iter().map(|c| (c.name.as_str(), c.is_private)).collect();
    assert_eq!(named, [("General", false), ("Board", true)]);
    assert_eq!(channels[0].topic, "What we do");
}

#[tokio::test]
async fn a_quiet_increment_costs_two_requests_whatever_the_history() {
    for posts in [10, 3_000] {
        let fake = Fake::start().await;
        for number in 0..posts {
            let mut server = fake.lock();
            server.now += 60_000;
            server.say(0, "", &format!("post {number}"));
        }
        let account = account(&fake);
        let mirror = walked(&fake, &*account).await;
        fake.lock().now += 60 * 60 * 1_000;
        mirror.walk(&*account).await.expect("an increment");
        assert_eq!(fake.requests().len(), 2);
    }
}

#[tokio::test]
async fn late_replies_edits_and_deletes_of_old_posts_are_found() {
    let fake = Fake::start().await;
    let ids: Vec<String> =
        (0..3).map(|number| fake.lock().say(0, "", &format!("post {number}"))).collect();
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    {
        let mut server = fake.lock();
        server.now += 400 * 24 * 60 * 60 * 1_000;
        server.say(1, &ids[0], "after more than a year");
        server.edit(&ids[1], "said otherwise");
        server.delete(&ids[2]);
    }
    mirror.walk(&*account).await.expect("an increment");
    assert_same(&platform::Changing::rows(&*fake), &stored(&mirror));
    let gone = &mirror.messages()[&ids[2].as_str().into()];
    assert_eq!((gone.deleted_at.is_some(), gone.text.as_str()), (true, ""));
    let root = &mirror.live()[&ids[0].as_str().into()];
    assert_eq!(root.thread_id.as_ref().map(|id| id.as_str()), Some(ids[0].as_str()));
}

#[tokio::test]
async fn a_first_post_that_comes_as_context_of_its_replies_is_one_message() {
    let fake = Fake::start().await;
    let root = fake.lock().say(0, "", "first");
    for number in 0..450 {
        fake.lock().now += 1_000;
        fake.lock().say(1, "", &format!("post {number}"));
    }
    // Every page with a reply brings the first post as well, which is not in its order.
    for page in 0..3 {
        fake.lock().now += 1_000;
        fake.lock().say(1, &root, &format!("reply {page}"));
        for number in 0..200 {
            fake.lock().now += 1_000;
            fake.lock().say(0, "", &format!("post {page} {number}"));
        }
    }
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    assert_eq!(mirror.live().len(), 1 + 450 + 3 * 201);
    fake.lock().now += 60 * 60 * 1_000;
    fake.lock().say(1, &root, "late");
    mirror.walk(&*account).await.expect("an increment");
    assert_same(&platform::Changing::rows(&*fake), &stored(&mirror));
}

#[tokio::test]
async fn what_is_expected_is_counted_by_the_server() {
    let fake = Fake::start().await;
    for number in 0..7 {
        fake.lock().say(0, "", &format!("post {number}"));
    }
    let joined = fake.lock().say(1, "", "bob joined the channel");
    fake.lock().post(&joined).kind = "system_join_channel".into();
    let account = account(&fake);
    let channel = channel(Platform::Mattermost, CHANNEL);
    assert_eq!(account.estimate(&channel, None).await, Ok(Some(7)));
    assert_eq!(fake.requests().len(), 1);
    assert_eq!(account.estimate(&channel, Some("mark")).await, Ok(None));
}

#[tokio::test]
async fn an_earlier_version_of_an_edited_post_is_no_message() {
    let fake = Fake::start().await;
    let id = fake.lock().say(0, "", "first");
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().now += 1_000;
    fake.lock().edit(&id, "second");
    mirror.walk(&*account).await.expect("an increment");
    assert_eq!(mirror.messages().len(), 1);
}

#[tokio::test]
async fn more_changes_than_the_list_holds_are_found_by_a_walk() {
    let fake = Fake::start().await;
    let old: Vec<String> = (0..1_500).map(|n| fake.lock().say(0, "", &format!("{n}"))).collect();
    let account = account(&fake);
    fake.lock().now += 20 * 60 * 1_000;
    let mirror = walked(&fake, &*account).await;
    fake.lock().now += 20 * 60 * 1_000;
    for id in &old[..1_200] {
        fake.lock().edit(id, "edited");
    }
    fake.lock().delete(&old[1_400]);
    mirror.walk(&*account).await.expect("an increment");
    assert_same(&platform::Changing::rows(&*fake), &stored(&mirror));
}

#[tokio::test]
async fn a_falsely_empty_list_of_changes_is_not_believed() {
    let fake = Fake::start().await;
    let old = fake.lock().say(0, "", "old");
    fake.lock().now += 60 * 60 * 1_000;
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().now += 60 * 60 * 1_000;
    fake.lock().say(0, "", "new");
    fake.lock().edit(&old, "edited");
    fake.lock().lies = 1;
    mirror.walk(&*account).await.expect("an increment");
    assert_eq!(mirror.live().len(), 2, "the new post comes by a walk");
    fake.lock().now += 60 * 60 * 1_000;
    mirror.walk(&*account).await.expect("an increment");
    assert_same(&platform::Changing::rows(&*fake), &stored(&mirror));
}

#[tokio::test]
async fn a_falsely_empty_list_loses_no_edit_either() {
    let fake = Fake::start().await;
    let old = fake.lock().say(0, "", "old");
    fake.lock().now += 60 * 60 * 1_000;
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().now += 60 * 60 * 1_000;
    fake.lock().edit(&old, "edited");
    fake.lock().lies = 1;
    for _ in 0..2 {
        mirror.walk(&*account).await.expect("an increment");
        fake.lock().now += 60 * 60 * 1_000;
    }
    assert_same(&platform::Changing::rows(&*fake), &stored(&mirror));
}

#[tokio::test]
async fn posts_of_one_millisecond_over_a_page_border_are_all_found() {
    for burst in [3, 199, 200, 201, 450] {
        let fake = Fake::start().await;
        for number in 0..150 {
            fake.lock().now += 1;
            fake.lock().say(0, "", &format!("before {number}"));
        }
        for number in 0..burst {
            fake.lock().say(0, "", &format!("burst {number}"));
        }
        for number in 0..99 {
            fake.lock().now += 1;
            fake.lock().say(0, "", &format!("after {number}"));
        }
        walked(&fake, &*account(&fake)).await;
    }
}

#[tokio::test]
async fn what_the_plan_of_the_server_hides_is_not_deleted() {
    let fake = Fake::start().await;
    for number in 0..10 {
        fake.lock().now += 60_000;
        fake.lock().say(0, "", &format!("{number}"));
    }
    fake.lock().now += 60_000;
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    let (hidden_to, gone) = {
        let server = fake.lock();
        (server.posts[4].create_at, server.posts[7].id.clone())
    };
    fake.lock().hidden_to = hidden_to;
    fake.lock().posts.retain(|post| post.id != gone);
    mirror.begin_again();
    mirror.walk(&*account).await.expect("a walk");
    assert_eq!(mirror.live().len(), 9, "only what is really gone is gone");
}

#[tokio::test]
async fn refusals_are_told_as_what_they_are() {
    let fake = Fake::start().await;
    fake.lock().say(0, "", "post");
    let account = account(&fake);
    fake.lock().is_member = false;
    let refused = mirror().walk(&*account).await;
    assert!(matches!(refused, Err(ConnectorError::ChannelNotFound(_))), "{refused:?}");
    assert_eq!(fake.requests().len(), 2, "asked once who we are");
    fake.lock().is_member = true;
    fake.lock().exists = false;
    let missing = mirror().walk(&*account).await;
    assert!(matches!(missing, Err(ConnectorError::ChannelNotFound(_))), "{missing:?}");
    fake.lock().token_is_good = false;
    for refused in [mirror().walk(&*account).await, account.identity().await.map(|_| ())] {
        assert!(matches!(refused, Err(ConnectorError::Auth(_))), "{refused:?}");
    }
    fake.lock().token_is_good = true;
    fake.lock().exists = true;
    for (status, body) in [(502, "<html>Bad Gateway</html>"), (501, "{}"), (200, "<html>hi</html>")]
    {
        fake.lock().answers.push_back((status, Vec::new(), body.into()));
        let failed = mirror().walk(&*account).await;
        assert!(matches!(failed, Err(ConnectorError::Platform(_))), "{status}: {failed:?}");
    }
    fake.lock().answers.push_back((400, Vec::new(), "{}".into()));
    let wrong = mirror().walk(&*account).await;
    assert!(matches!(wrong, Err(ConnectorError::Request(_))), "{wrong:?}");
    mirror().walk(&*account).await.expect("the server is well again");
}

#[tokio::test]
async fn a_refused_token_on_a_forbidden_channel_is_told_as_the_token() {
    let fake = Fake::start().await;
    let account = account(&fake);
    fake.lock().answers.push_back((403, Vec::new(), "{}".into()));
    fake.lock().token_is_good = false;
    let refused = mirror().walk(&*account).await;
    assert!(matches!(refused, Err(ConnectorError::Auth(_))), "{refused:?}");
}

#[tokio::test]
async fn limits_are_learnt_and_kept() {
    let fake = Fake::start().await;
    fake.lock().say(0, "", "post");
    let noting = Arc::new(Noting::default());
    let access = platform::access_limited_by(&fake.url, json!({"token": TOKEN}), noting.clone());
    let account = mattermost::open(access).expect("an account");
    // Seconds from now, in plain text, as the server's own limiter writes it.
    let headers = vec![("x-ratelimit-limit", "101".into()), ("x-ratelimit-reset", "7".into())];
    fake.lock().answers.push_back((429, headers, "limit exceeded\n".into()));
    let limited = mirror().walk(&*account).await;
    let pause = Duration::from_secs(7);
    assert_eq!(limited, Err(ConnectorError::RateLimit { retry_after: pause }));
    let bucket = "mattermost:conn_test".to_owned();
    assert_eq!(*noting.pauses.lock().expect("pauses"), [(bucket.clone(), pause)]);
    let headers = vec![("retry-after", "4".into())];
    fake.lock().answers.push_back((429, headers, "limit exceeded\n".into()));
    let pause = Duration::from_secs(4);
    let limited = mirror().walk(&*account).await;
    assert_eq!(limited, Err(ConnectorError::RateLimit { retry_after: pause }));
    let busy = vec![("retry-after", "5".into())];
    fake.lock().answers.push_back((503, busy, "{}".into()));
    let told = mirror().walk(&*account).await.expect_err("a failure").sync_error();
    assert_eq!((told.code, told.details.retry_after), (ErrorCode::PlatformError, Some(5)));
    // The last allowed call asks for a pause as well.
    fake.lock().headers = vec![
        ("x-ratelimit-limit", "101".into()),
        ("x-ratelimit-remaining", "0".into()),
        ("x-ratelimit-reset", "3".into()),
    ];
    mirror().walk(&*account).await.expect("a walk");
    let last = noting.pauses.lock().expect("pauses").last().cloned();
    assert_eq!(last, Some((bucket, Duration::from_secs(3))));
    let taken = noting.taken.lock().expect("buckets").last().cloned().expect("a bucket");
    assert_eq!((taken.burst, taken.every), (101, Duration::from_millis(100)));
}

#[tokio::test]
async fn people_bots_webhooks_and_mentions_are_told_apart() {
    let fake = Fake::start().await;
    let id = fake.lock().say(0, "", "ask @bob. or @ann.smith, not @nobody or a@bob");
    let hook = fake.lock().say(0, "", "deployed");
    fake.lock().post(&hook).props = json!({"from_webhook": "true", "override_username": "deploys"});
    let bot = fake.lock().say(2, "", "beep");
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk");
    let live = mirror.live();
    let message = &live[&id.as_str().into()];
    assert_eq!(message.text, "ask @Bob. or @Ann Smith, not @nobody or a@bob");
    assert_eq!(message.mentions.len(), 2);
    assert_eq!(message.author.name, "Ann Smith");
    assert_eq!(message.permalink, Some(format!("{}/_redirect/pl/{id}", fake.url)));
    let hook = &live[&hook.as_str().into()].author;
    assert_eq!((hook.kind, hook.name.as_str()), (AuthorKind::Bot, "deploys"));
    assert_eq!(live[&bot.as_str().into()].author.kind, AuthorKind::Bot);
    assert_eq!(fake.requests().iter().filter(|r| r.contains("/users/")).count(), 2);
}
