//! Matrix, against a homeserver of our own that has its traps, and against Synapse.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "matrix/fake.rs"]
mod fake;
mod platform;
#[path = "matrix/rate.rs"]
mod rate;
#[path = "matrix/synapse.rs"]
mod synapse;

use std::{sync::Arc, time::Duration};

use connectors::{Account, ConnectorError, Known as _, contract::Mirror, matrix};
use domain::{
    Platform,
    message::{AuthorKind, MessageKind},
};
use fake::{Fake, ROOM, TOKEN};
use platform::{Changing as _, Dice, Noting, assert_same, channel, stays_equal, stored};
use serde_json::json;

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn account(fake: &Fake) -> Arc<dyn Account> {
    matrix::open(platform::access(&fake.url, json!({"token": TOKEN}))).expect("an account")
}

fn mirror() -> Mirror {
    Mirror::new(channel(Platform::Matrix, ROOM))
}

async fn walked(fake: &Fake, account: &dyn Account) -> Mirror {
    let mirror = mirror();
    mirror.walk(account).await.expect("a walk");
    assert_same(&fake.rows(), &stored(&mirror));
    fake.requests();
    mirror
}

/// Walks on, and finds what is there.
async fn walks_on(fake: &Fake, account: &dyn Account, mirror: &Mirror) {
    mirror.walk(account).await.expect("an increment");
    assert_same(&fake.rows(), &stored(mirror));
}

fn talk(fake: &Fake, messages: usize) -> Vec<String> {
    let mut server = fake.lock();
    let say = |number: usize| {
        server.now += 60_000;
        server.say(number % 3, &format!("message {number}"))
    };
    (0..messages).map(say).collect()
}

#[tokio::test]
async fn whatever_happens_meanwhile_our_rows_are_the_platforms_in_the_end() {
    for seed in 0..50 {
        let fake = Fake::start().await;
        let mut dice = Dice::new(seed);
        {
            let mut server = fake.lock();
            server.bundles = seed % 4 != 3;
            server.shuffles = seed % 2 == 1;
            server.page = [1_000, 7, 50][dice.below(3)];
            server.news = [100, 3][dice.below(2)];
        }
        for _ in 0..dice.below(400) {
            platform::Changing::change(&*fake, &mut dice);
        }
        let channel = channel(Platform::Matrix, ROOM);
        stays_equal(&*fake, &*account(&fake), channel, &mut dice).await;
    }
}

#[tokio::test]
async fn who_we_are_and_which_rooms_there_are_to_read() {
    let fake = Fake::start().await;
    let account = account(&fake);
    let identity = account.identity().await.expect("an identity");
    assert_eq!(identity.workspace, "matrix", "ids are the same on all servers");
    assert_eq!(
        (identity.workspace_name.as_str(), identity.account.as_str()),
        ("here.org", "@helper:here.org")
    );
    let rooms = account.channels().await.expect("rooms");
    let named: Vec<_> = rooms.iter().map(|room| (room.name.as_str(), room.is_private)).collect();
    assert_eq!(named, [("General", false), ("ann, bob", true)], "no conversations, no spaces");
    assert_eq!((rooms[0].topic.as_str(), rooms[0].member_count), ("What we do", Some(3)));
    assert!(rooms[1].topic.contains("encrypted"), "{}", rooms[1].topic);
}

#[tokio::test]
async fn a_quiet_increment_costs_one_request_whatever_the_history() {
    for messages in [10, 3_000] {
        let fake = Fake::start().await;
        talk(&fake, messages);
        let account = account(&fake);
        let mirror = walked(&fake, &*account).await;
        fake.lock().happens("m.room.member", 1, json!({"membership": "join"}));
        for _ in 0..2 {
            walks_on(&fake, &*account, &mirror).await;
            assert_eq!(fake.requests(), ["/_matrix/client/v3/sync"]);
        }
    }
}

#[tokio::test]
async fn late_replies_edits_reactions_and_redactions_of_old_messages_are_found() {
    let fake = Fake::start().await;
    let ids = talk(&fake, 2_500);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    {
        let mut server = fake.lock();
        server.now += 400 * DAY;
        server.reply(1, &ids[0], "after more than a year");
        server.edit(1, &ids[1], "said otherwise");
        server.redact(&ids[2]);
        server.react(1, &ids[3], "+1");
    }
    walks_on(&fake, &*account, &mirror).await;
    let gone = &mirror.messages()[&ids[2].as_str().into()];
    assert_eq!((gone.deleted_at.is_some(), gone.text.as_str()), (true, ""));
    assert!(fake.requests().len() <= 2, "nothing old is read for it");
}

#[tokio::test]
async fn a_gap_larger_than_a_page_is_filled() {
    let fake = Fake::start().await;
    fake.lock().news = 20;
    fake.lock().page = 50;
    talk(&fake, 120);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    for missed in [19, 20, 21, 70, 71, 500] {
        talk(&fake, missed);
        walks_on(&fake, &*account, &mirror).await;
    }
    fake.requests();
    walks_on(&fake, &*account, &mirror).await;
    assert_eq!(fake.requests().len(), 1, "the gap is closed");
}

#[tokio::test]
async fn a_walk_that_breaks_off_in_a_gap_misses_nothing() {
    let fake = Fake::start().await;
    fake.lock().news = 5;
    fake.lock().page = 10;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    let ids = talk(&fake, 60);
    for _ in 0..3 {
        assert!(!mirror.step(&*account).await.expect("a page"));
    }
    fake.lock().answers.push_back((502, Vec::new(), "<html>Bad Gateway</html>".into()));
    let broken = mirror.walk(&*account).await;
    assert!(matches!(broken, Err(ConnectorError::Platform(_))), "{broken:?}");
    fake.lock().edit(0, &ids[0], "while the server was away");
    mirror.walk(&*account).await.expect("the rest of the gap");
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn what_happens_during_the_first_walk_is_told_by_the_next() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    let ids = talk(&fake, 35);
    let account = account(&fake);
    let mirror = mirror();
    assert!(!mirror.step(&*account).await.expect("the first page"));
    {
        let mut server = fake.lock();
        server.say(0, "new");
        server.edit(1, &ids[34], "edited behind the walk");
        server.edit(0, &ids[0], "edited before it");
        server.redact(&ids[33]);
        server.redact(&ids[1]);
    }
    mirror.walk(&*account).await.expect("the rest");
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn an_event_that_another_server_sends_late_is_found() {
    let fake = Fake::start().await;
    talk(&fake, 40);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    let at = fake.lock().now - 20 * 60_000;
    fake.lock().arrives_late(1, "was cut off", 20, at);
    talk(&fake, 150);
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn only_the_absence_of_an_end_says_that_there_is_no_more() {
    let fake = Fake::start().await;
    fake.lock().page = 5;
    talk(&fake, 12);
    for _ in 0..30 {
        fake.lock().happens("m.room.member", 1, json!({"membership": "join"}));
    }
    talk(&fake, 3);
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk over empty pages");
    assert_same(&fake.rows(), &stored(&mirror));
}

#[tokio::test]
async fn the_order_of_a_page_says_nothing() {
    let fake = Fake::start().await;
    fake.lock().shuffles = true;
    fake.lock().page = 30;
    let ids = talk(&fake, 100);
    for (number, id) in ids.iter().enumerate() {
        fake.lock().edit(number % 3, id, &format!("edit {number}"));
        fake.lock().reply(1, id, "reply");
    }
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    for (number, id) in ids.iter().enumerate() {
        fake.lock().edit(number % 3, id, &format!("second edit {number}"));
    }
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_not_followed_for_ever() {
    let fake = Fake::start().await;
    fake.lock().page = 5;
    talk(&fake, 20);
    let account = account(&fake);
    let mirror = mirror();
    mirror.step(&*account).await.expect("a page");
    let token = fake.lock().history(None, None, 5, &json!(null)).expect("a page")["end"].clone();
    let answer = json!({"start": token, "end": token, "chunk": [
        {"event_id": "$again", "type": "m.room.message", "sender": "@ann:here.org",
            "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": "again"}},
    ]});
    fake.lock().answers.push_back((200, Vec::new(), answer.to_string()));
    let broken = mirror.walk(&*account).await;
    assert!(matches!(broken, Err(ConnectorError::Platform(_))), "{broken:?}");
    mirror.walk(&*account).await.expect("the server is well again");
}

#[tokio::test]
async fn a_token_that_leads_nowhere_any_more_costs_a_walk_and_no_message() {
    let fake = Fake::start().await;
    fake.lock().page = 20;
    let ids = talk(&fake, 50);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().epoch += 1;
    fake.lock().edit(0, &ids[0], "edited");
    fake.lock().redact(&ids[1]);
    talk(&fake, 5);
    walks_on(&fake, &*account, &mirror).await;
    // And in the middle of a walk through everything, and of a gap.
    mirror.begin_again();
    mirror.step(&*account).await.expect("a page");
    fake.lock().epoch += 1;
    walks_on(&fake, &*account, &mirror).await;
    talk(&fake, 300);
    mirror.step(&*account).await.expect("a page");
    fake.lock().epoch += 1;
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_server_whose_tokens_never_hold_is_given_up_on() {
    let fake = Fake::start().await;
    fake.lock().page = 5;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = mirror();
    for _ in 0..20 {
        match mirror.step(&*account).await {
            Ok(_) => fake.lock().epoch += 1,
            Err(error) => {
                assert!(matches!(error, ConnectorError::Request(_)), "{error}");
                return;
            }
        }
    }
    panic!("it goes on for ever");
}

#[tokio::test]
async fn an_edit_counts_only_from_the_author_and_the_latest_by_its_time() {
    let fake = Fake::start().await;
    let id = talk(&fake, 1).remove(0);
    {
        let mut server = fake.lock();
        server.now += 10_000;
        server.edit(0, &id, "the latest");
        server.edit(1, &id, "a forgery");
        server.now -= 5_000;
        server.edit(0, &id, "from a clock that is behind");
    }
    let account = account(&fake);
    for bundles in [true, false] {
        fake.lock().bundles = bundles;
        let mirror = walked(&fake, &*account).await;
        assert_eq!(mirror.live()[&id.as_str().into()].text, "the latest");
        fake.lock().edit(1, &id, "a later forgery");
        walks_on(&fake, &*account, &mirror).await;
    }
}

#[tokio::test]
async fn a_message_says_what_it_said_before_when_an_edit_is_redacted() {
    for (bundles, relates) in [(true, true), (false, true)] {
        let fake = Fake::start().await;
        fake.lock().bundles = bundles;
        fake.lock().relates = relates;
        let id = talk(&fake, 1).remove(0);
        let mut edits = Vec::new();
        for body in ["first edit", "second edit"] {
            fake.lock().now += 1_000;
            edits.push(fake.lock().edit(0, &id, body));
        }
        let account = account(&fake);
        let mirror = walked(&fake, &*account).await;
        let said = || mirror.live()[&id.as_str().into()].text.clone();
        for (edit, then) in [(&edits[1], "first edit"), (&edits[0], "message 0")] {
            // The clock of who redacts is behind.
            fake.lock().now -= 500;
            fake.lock().redact(edit);
            mirror.walk(&*account).await.expect("an increment");
            assert_eq!(said(), then);
        }
    }
}

#[tokio::test]
async fn a_server_that_tells_no_edits_with_a_message_is_asked_for_them() {
    let fake = Fake::start().await;
    fake.lock().bundles = false;
    fake.lock().page = 10;
    let ids = talk(&fake, 40);
    for id in &ids[..4] {
        let author = fake.lock().find(id).map(|event| event.user).expect("an author");
        fake.lock().edit(author, id, "edited");
    }
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    mirror.begin_again();
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_reaction_that_is_taken_back_is_no_longer_counted() {
    let fake = Fake::start().await;
    let id = talk(&fake, 1).remove(0);
    let reactions: Vec<String> =
        [0, 1, 1].iter().map(|user| fake.lock().react(*user, &id, "+1")).collect();
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    let counted = || mirror.live()[&id.as_str().into()].reactions[0].count;
    assert_eq!(counted(), 2, "nobody counts twice");
    fake.lock().redact(&reactions[0]);
    walks_on(&fake, &*account, &mirror).await;
    assert_eq!(counted(), 1);
    let of = mirror.marks(&[format!("of:{}", reactions[0])]).await.expect("marks");
    assert_eq!(of, [None], "nothing is kept of it");
}

#[tokio::test]
async fn encrypted_messages_are_counted_and_do_not_fail_the_room() {
    let fake = Fake::start().await;
    talk(&fake, 2);
    let cipher = json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "abc"});
    let id = fake.lock().happens("m.room.encrypted", 0, cipher);
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk");
    let live = mirror.live();
    let message = &live[&id.as_str().into()];
    assert_eq!((live.len(), message.kind), (3, MessageKind::System));
    assert!(message.text.contains("cannot be read"), "{}", message.text);
}

#[tokio::test]
async fn people_bots_those_who_left_mentions_files_and_links_are_told() {
    let fake = Fake::start().await;
    let notice = json!({"msgtype": "m.notice", "body": "deployed"});
    let file = json!({"msgtype": "m.file", "body": "plan.pdf", "url": "mxc://here.org/abc",
        "info": {"mimetype": "application/pdf", "size": 1_234}});
    let mention = json!({"msgtype": "m.text", "body": "ask Bob", "format": "org.matrix.custom.html",
        "formatted_body": "ask <a href=\"https://matrix.to/#/@bob:there.org\">Bob</a>",
        "m.mentions": {"user_ids": ["@bob:there.org"]}});
    let (notice, file, mention, left) = {
        let mut server = fake.lock();
        let mut says = |user, content| server.happens("m.room.message", user, content);
        (says(2, notice), says(0, file), says(0, mention), server.say(3, "I was here"))
    };
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk");
    let live = mirror.live();
    let of = |id: &str| &live[&id.into()];
    assert_eq!(of(&notice).author.kind, AuthorKind::Bot);
    let (message, attachment) = (of(&file), &of(&file).attachments[0]);
    assert_eq!((message.text.as_str(), message.author.name.as_str()), ("", "Ann Smith"));
    assert_eq!((attachment.name.as_str(), attachment.bytes), ("plan.pdf", Some(1_234)));
    assert_eq!(attachment.media_type.as_deref(), Some("application/pdf"));
    assert_eq!((of(&mention).text.as_str(), of(&mention).mentions.len()), ("ask @Bob", 1));
    assert_eq!(of(&left).author.name, "gone", "by the id, for want of a name");
    let link =
        format!("https://matrix.to/#/%21room%3ahere%2eorg/%24{}?via=there%2eorg", &left[1..]);
    assert_eq!(of(&left).permalink.as_deref(), Some(link.as_str()));
}

#[tokio::test]
async fn names_are_asked_for_together_and_once() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 60);
    fake.lock().say(3, "of somebody who left");
    let account = account(&fake);
    mirror().walk(&*account).await.expect("a walk");
    mirror().walk(&*account).await.expect("another");
    let asked = fake.requests();
    let of = |what: &str| asked.iter().filter(|path| path.contains(what)).count();
    assert_eq!((of("joined_members"), of("/profile/")), (1, 1));
}

#[tokio::test]
async fn how_much_there_is_is_told_by_how_dense_the_newest_is() {
    let fake = Fake::start().await;
    let account = account(&fake);
    let channel = channel(Platform::Matrix, ROOM);
    talk(&fake, 60);
    assert_eq!(account.estimate(&channel, None).await, Ok(Some(60)), "all of it was seen");
    fake.lock().page = 20;
    let mirror = mirror();
    let request = connectors::PageRequest { channel, watermark: None, cursor: None };
    let page = account.page(&request, &mirror).await.expect("a page");
    let estimate = page.estimate.expect("an estimate");
    assert!((40..=80).contains(&estimate), "{estimate}");
}

#[tokio::test]
async fn refusals_are_told_as_what_they_are() {
    let fake = Fake::start().await;
    talk(&fake, 3);
    let account = account(&fake);
    let elsewhere = Mirror::new(channel(Platform::Matrix, "general"));
    let wrong = elsewhere.walk(&*account).await;
    assert!(matches!(wrong, Err(ConnectorError::ChannelNotFound(_))), "{wrong:?}");
    fake.lock().token_is_good = false;
    for refused in [mirror().walk(&*account).await, account.identity().await.map(|_| ())] {
        let Err(ConnectorError::Auth(told)) = refused else { panic!("{refused:?}") };
        assert!(told.contains("enter a new one"), "{told}");
    }
    fake.lock().token_is_good = true;
    for (status, body) in [(502, "<html>Bad Gateway</html>"), (500, "{}"), (200, "<html>hi</html>")]
    {
        fake.lock().answers.push_back((status, Vec::new(), body.into()));
        let failed = mirror().walk(&*account).await;
        assert!(matches!(failed, Err(ConnectorError::Platform(_))), "{status}: {failed:?}");
    }
    mirror().walk(&*account).await.expect("the server is well again");
}

#[tokio::test]
async fn a_room_that_was_left_is_told_and_nothing_of_it_is_deleted() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().is_joined = false;
    for _ in 0..2 {
        let left = mirror.walk(&*account).await;
        let Err(ConnectorError::ChannelNotFound(told)) = left else { panic!("{left:?}") };
        assert!(told.contains("join the room"), "{told}");
    }
    mirror.begin_again();
    let left = mirror.walk(&*account).await;
    assert!(matches!(left, Err(ConnectorError::ChannelNotFound(_))), "{left:?}");
    assert_eq!(mirror.live().len(), 30);
    fake.lock().is_joined = true;
    talk(&fake, 3);
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_room_that_is_left_between_two_pages_is_told_from_a_token_that_was_revoked() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = mirror();
    mirror.step(&*account).await.expect("a page");
    fake.lock().is_joined = false;
    fake.requests();
    let left = mirror.step(&*account).await;
    assert!(matches!(left, Err(ConnectorError::ChannelNotFound(_))), "{left:?}");
    assert!(fake.requests().iter().any(|path| path.ends_with("whoami")), "asked who we are");
    let refusal = r#"{"errcode":"M_FORBIDDEN","error":"refused"}"#.to_owned();
    fake.lock().answers.push_back((403, Vec::new(), refusal));
    fake.lock().token_is_good = false;
    let refused = mirror.step(&*account).await;
    assert!(matches!(refused, Err(ConnectorError::Auth(_))), "{refused:?}");
}

#[tokio::test]
async fn a_limit_is_a_pause_for_all_and_slows_down() {
    let fake = Fake::start().await;
    talk(&fake, 3);
    let noting = Arc::new(Noting::default());
    let access = platform::access_limited_by(&fake.url, json!({"token": TOKEN}), noting.clone());
    let account = matrix::open(access).expect("an account");
    let headers = vec![("retry-after", "6".into())];
    let body = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":5030}"#;
    fake.lock().answers.push_back((429, headers, body.into()));
    let limited = mirror().walk(&*account).await;
    let pause = Duration::from_secs(6);
    assert_eq!(limited, Err(ConnectorError::RateLimit { retry_after: pause }));
    let paused = noting.pauses.lock().expect("pauses").clone();
    assert_eq!(paused, [("matrix:conn_test".to_owned(), pause)]);
    mirror().walk(&*account).await.expect("a walk");
    let taken = noting.taken.lock().expect("buckets");
    assert!(taken[1].every > taken[0].every, "{taken:?}");
}
