//! Edits and reactions, and their being taken back.

use connectors::Known as _;

use crate::{account, fake::Fake, talk, walked, walks_on};

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
