//! The same connector against Synapse: a real homeserver, as scripts/services installs it.

#[path = "synapse/room.rs"]
mod room;
#[path = "synapse/server.rs"]
mod server;

use connectors::ConnectorError;
use domain::{Classify as _, ErrorCode, message::MessageKind};
use room::Room;
use serde_json::json;
pub(crate) use server::shared;
use server::{Server, account, free_port, mirror};

use crate::platform::{assert_same, stored};

#[tokio::test]
async fn thousands_of_messages_with_threads_edits_and_redactions_are_read_as_they_were_said() {
    let server = shared().await;
    let (account, mirror) = (server.account(), mirror(server.seeded_room()));
    let rows = server.seeded_rows();
    assert!(rows.len() > 2_000, "{}", rows.len());
    mirror.walk(&*account).await.expect("a walk");
    assert_same(&rows, &stored(&mirror));
    let pages = mirror.pages();
    assert!((4..=8).contains(&pages), "{pages} pages");
    mirror.walk(&*account).await.expect("an increment");
    assert_eq!(mirror.pages(), pages + 1, "nothing has happened");
    mirror.begin_again();
    mirror.walk(&*account).await.expect("everything again");
    assert_same(&rows, &stored(&mirror));
}

#[tokio::test]
async fn what_was_said_while_the_server_was_away_is_found_in_a_gap_larger_than_a_page() {
    let port = free_port();
    let server = Server::start("early", port).await;
    let (account, mirror) = (server.account(), mirror(server.seeded_room()));
    mirror.walk(&*account).await.expect("a walk");
    assert_same(&server.seeded_rows(), &stored(&mirror));
    let known = stored(&mirror);
    server.stop();
    let away = mirror.walk(&*account).await.expect_err("nobody is there");
    assert_eq!(away.sync_error().code, ErrorCode::PlatformError, "{away}");
    assert_same(&known, &stored(&mirror));
    let server = Server::start("late", port).await;
    let pages = mirror.pages();
    mirror.walk(&*account).await.expect("an increment");
    assert_same(&server.seeded_rows(), &stored(&mirror));
    assert!(mirror.pages() > pages + 2, "more than a page was missed");
    server.stop();
}

#[tokio::test]
async fn late_replies_edits_reactions_and_redactions_are_found_by_increments() {
    let mut room = Room::new(shared().await).await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(room.say(&format!("message {number}"), None).await);
    }
    let (account, mirror) = (room.server.account(), room.mirror());
    room.found_by(&*account, &mirror).await;
    let reply = room.say("a late reply", Some(&ids[0])).await;
    room.edit(&ids[1], "said better").await;
    room.react(&ids[2]).await;
    room.redact(&ids[3]).await;
    room.found_by(&*account, &mirror).await;
    let gone = &mirror.messages()[&ids[3].as_str().into()];
    assert!(gone.deleted_at.is_some() && gone.text.is_empty(), "{gone:?}");
    room.edit(&reply, "a better reply").await;
    room.redact(&ids[0]).await;
    room.say("under a root that is gone", Some(&ids[0])).await;
    room.found_by(&*account, &mirror).await;
    mirror.begin_again();
    room.found_by(&*account, &mirror).await;
}

#[tokio::test]
async fn what_is_said_while_it_is_read_is_not_missed() {
    let mut room = Room::new(shared().await).await;
    let (account, mirror) = (room.server.account(), room.mirror());
    {
        let mut talking = std::pin::pin!(room.talks(60));
        loop {
            tokio::select! {
                () = &mut talking => break,
                walked = mirror.walk(&*account) => walked.expect("a walk"),
            }
        }
    }
    room.found_by(&*account, &mirror).await;
}

#[tokio::test]
async fn an_edit_and_a_reaction_that_are_taken_back_leave_what_was_before() {
    let mut room = Room::new(shared().await).await;
    let id = room.say("first", None).await;
    let edits = [room.edit(&id, "second").await, room.edit(&id, "third").await];
    let reaction = room.react(&id).await;
    let (account, mirror) = (room.server.account(), room.mirror());
    room.found_by(&*account, &mirror).await;
    let said = || mirror.live()[&id.as_str().into()].clone();
    for (event, text, reactions) in
        [(&edits[1], "second", 1), (&edits[0], "first", 1), (&reaction, "first", 0)]
    {
        room.redact(event).await;
        mirror.walk(&*account).await.expect("an increment");
        assert_eq!((said().text.as_str(), said().reactions.len()), (text, reactions));
    }
}

#[tokio::test]
async fn encrypted_messages_are_told_and_do_not_fail_the_room() {
    let mut room = Room::new(shared().await).await;
    let cipher = json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "abc",
        "session_id": "s", "device_id": "D", "sender_key": "k"});
    let (id, _) = room.put("send/m.room.encrypted", cipher).await;
    let (account, mirror) = (room.server.account(), room.mirror());
    mirror.walk(&*account).await.expect("a walk");
    let message = &mirror.live()[&id.as_str().into()];
    assert_eq!(message.kind, MessageKind::System);
}

#[tokio::test]
async fn who_we_are_and_which_rooms_there_are() {
    let server = shared().await;
    let room = Room::new(server).await;
    let account = server.account();
    let identity = account.identity().await.expect("an identity");
    let told = (identity.workspace.as_str(), identity.workspace_name.as_str());
    assert_eq!((told, identity.account.as_str()), (("matrix", "localhost"), "@helper:localhost"));
    let rooms = account.channels().await.expect("rooms");
    let general = rooms.iter().find(|room| room.external_id == server.seeded_room());
    let general = general.expect("the room is offered");
    assert_eq!((general.name.as_str(), general.topic.as_str()), ("General", "What we do"));
    assert_eq!((general.is_private, general.member_count), (false, Some(3)));
    // A room that has just been left is not offered any more, however soon it is asked again.
    let offered = |rooms: &[connectors::OfferedChannel]| {
        rooms.iter().any(|offered| offered.external_id == room.id)
    };
    assert!(offered(&rooms));
    room.joined_by("helper", "leave").await;
    assert!(!offered(&account.channels().await.expect("rooms")));
}

#[tokio::test]
async fn a_wrong_token_and_one_of_an_ended_session_say_what_to_do() {
    let server = shared().await;
    let password = json!({"type": "m.login.password", "password": "for tests",
        "identifier": {"type": "m.id.user", "user": "helper"}});
    let session = server.call("", "POST", "login", password).await;
    let token = session["access_token"].as_str().expect("a token");
    let (account_of_session, mirror) = (account(&server.url, token), mirror(server.seeded_room()));
    mirror.step(&*account_of_session).await.expect("a page");
    server.call(token, "POST", "logout", json!({})).await;
    for account in [account_of_session, account(&server.url, "syt_never_was_one")] {
        for refused in [mirror.walk(&*account).await, account.identity().await.map(|_| ())] {
            let refused = refused.expect_err("the token is not good");
            assert_eq!(refused.sync_error().code, ErrorCode::AuthError, "{refused}");
            assert!(refused.to_string().contains("enter a new one"), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_room_that_was_left_says_what_to_do_and_misses_nothing_after() {
    let mut room = Room::new(shared().await).await;
    room.say("before", None).await;
    let (account, mirror) = (room.server.account(), room.mirror());
    room.found_by(&*account, &mirror).await;
    let fresh = room.mirror();
    room.joined_by("helper", "leave").await;
    room.say("while we were not there", None).await;
    for mirror in [&mirror, &mirror, &fresh] {
        let left = mirror.walk(&*account).await.expect_err("we have left");
        assert!(matches!(left, ConnectorError::ChannelNotFound(_)), "{left:?}");
        assert!(left.to_string().contains("join the room"), "{left}");
    }
    assert_eq!(mirror.live().len(), 1, "nothing is taken for deleted");
    room.joined_by("helper", "join").await;
    room.say("after", None).await;
    room.found_by(&*account, &mirror).await;
    room.found_by(&*account, &fresh).await;
}

#[tokio::test]
async fn a_past_that_the_room_hides_from_who_joined_later_does_not_fail_it() {
    let server = shared().await;
    let mut room = Room::new(server).await;
    room.joined_by("helper", "leave").await;
    let hidden = json!({"history_visibility": "joined"});
    let path = format!("rooms/{}/state/m.room.history_visibility/", room.id);
    server.call(server.token("ann"), "PUT", &path, hidden).await;
    for number in 0..30 {
        let id = room.say(&format!("not for you {number}"), None).await;
        room.rows.remove(&id);
    }
    room.joined_by("helper", "join").await;
    room.say("for all who are here", None).await;
    let (account, mirror) = (server.account(), room.mirror());
    room.found_by(&*account, &mirror).await;
    room.say("and this", None).await;
    room.found_by(&*account, &mirror).await;
}
