//! What changes is found.

use std::{collections::BTreeMap, io::Cursor, ops::ControlFlow};

use connectors::{
    import::{Export as _, Report},
    slack,
};
use serde_json::json;

use crate::{
    account,
    fake::{DAY, Fake, SECOND, ts},
    platform::{Changing as _, Dice, assert_same, channel, stays_equal, stored},
    walk, walked,
};
use domain::Platform;

#[tokio::test]
async fn whatever_happens_meanwhile_our_rows_are_the_platforms_after_a_walk_through_everything() {
    for seed in 0..50 {
        let fake = Fake::start().await;
        fake.lock().oldest_first = seed % 4 == 3;
        let mut dice = Dice::new(seed);
        for _ in 0..dice.below(700) {
            fake.change(&mut dice);
        }
        let channel = channel(Platform::Slack, crate::CHANNEL);
        stays_equal(&*fake, &*account(&fake), channel, &mut dice).await;
    }
}

#[tokio::test]
async fn quiet_increments_find_all_that_was_missed_without_a_walk_through_everything() {
    for seed in 0..50 {
        let fake = Fake::start().await;
        fake.lock().oldest_first = seed % 4 == 3;
        let mut dice = Dice::new(1_000 + seed);
        for _ in 0..dice.below(200) {
            fake.change(&mut dice);
        }
        let app = account(&fake);
        let mirror = crate::mirror();
        for _ in 0..5 {
            while !mirror.step(&*app).await.expect("a page") {
                for _ in 0..dice.below(4) {
                    fake.change(&mut dice);
                }
            }
            for _ in 0..dice.below(30) {
                fake.change(&mut dice);
            }
        }
        fake.calm();
        let mut walks = 0;
        while stored(&mirror) != fake.rows() && walks < 80 {
            fake.lock().now += DAY / 24;
            mirror.walk(&*app).await.expect("an increment");
            walks += 1;
        }
        assert_same(&fake.rows(), &stored(&mirror));
    }
}

#[tokio::test]
async fn edits_and_deletes_of_the_last_two_weeks_are_found_by_the_next_increment() {
    let fake = Fake::start().await;
    let old = fake.talk(300);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += 13 * DAY;
    fake.lock().edit(old[10], "said better");
    fake.lock().delete(old[11]);
    fake.lock().message(old[12]).reactions = 3;
    walk(&fake, &*app, &mirror).await;
}

#[tokio::test]
async fn edits_deletes_and_replies_beyond_two_weeks_are_found_slice_by_slice() {
    let fake = Fake::start().await;
    let old = fake.talk(900);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += 200 * DAY;
    fake.lock().edit(old[10], "said better");
    fake.lock().delete(old[500]);
    fake.lock().say(Some(old[700]), 1, "a late reply");
    let mut walks = 0;
    while stored(&mirror) != fake.rows() {
        walks += 1;
        assert!(walks < 60, "all slices of a year are through by then");
        fake.requests();
        fake.lock().now += DAY / 24;
        mirror.walk(&*app).await.expect("an increment");
        let slices = fake.requests().iter().filter(|m| *m == "conversations.history").count();
        assert_eq!(slices, 2, "two weeks, and one slice");
    }
    assert!(walks > 1);
}

#[tokio::test]
async fn a_deleted_first_message_leaves_a_tombstone_and_its_replies_stay() {
    let fake = Fake::start().await;
    let root = fake.talk(3)[1];
    let reply = fake.lock().say(Some(root), 1, "a reply");
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().delete(root);
    walk(&fake, &*app, &mirror).await;
    let gone = &mirror.messages()[&ts(root).as_str().into()];
    assert!(gone.deleted_at.is_some() && gone.text.is_empty(), "{gone:?}");
    assert!(mirror.live().contains_key(&ts(reply).as_str().into()));
    // With its last reply the whole thread vanishes.
    fake.lock().delete(reply);
    assert_eq!(fake.rows().len(), 2);
    walk(&fake, &*app, &mirror).await;
}

#[tokio::test]
async fn an_import_and_a_walk_are_one_set_of_messages_with_equal_rows() {
    let fake = Fake::start().await;
    let root = fake.talk(30)[20];
    for text in ["with <@U2> and <@W9>", "a <https://a.example|link> &amp; more"] {
        fake.lock().say(Some(root), 3, text);
    }
    let edited = fake.talk(1)[0];
    fake.lock().now += SECOND;
    fake.lock().edit(edited, "edited");
    fake.lock().message(root).reactions = 2;
    let gone = fake.talk(1)[0];
    fake.lock().say(Some(gone), 2, "to what?");
    fake.lock().delete(gone);
    fake.lock().message(edited).more = json!({"files": [{"id": "F1", "name": "a.txt", "size": 1}]});

    let mut export = slack::SlackExport::open(Cursor::new(fake.export()), slack::Limits::default())
        .expect("an export");
    assert_eq!(export.workspace(), account(&fake).identity().await.expect("an identity").workspace);
    assert_eq!(export.channels()[0].external_id, crate::CHANNEL);
    let (mut imported, mut report) = (BTreeMap::new(), Report::default());
    let read = export.read_all(&mut report, &mut |_, messages| {
        imported.extend(messages.into_iter().map(|message| (message.id.clone(), message)));
        ControlFlow::Continue(())
    });
    read.expect("an import");
    assert_eq!(report.unread, 0);
    let mut walked = crate::read(&fake, &*account(&fake)).await.messages();
    assert_eq!(walked.len(), 35);
    for message in walked.values_mut() {
        // The one thing that an export does not tell: where the workspace is.
        message.permalink = None;
    }
    assert_eq!(walked, imported);
}
