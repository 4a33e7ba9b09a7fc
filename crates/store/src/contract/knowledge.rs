//! Facts, graph and pages.

use domain::{
    FactId,
    batch::Seed,
    fact::FactStatus,
    page::{PageKey, PageKind, RenderedPage},
};

use super::scene::{channel, claimed, committed, decisions, message, technology, through, walked};
use crate::{Effect, EntityQuery, ExtractedUnit, ExtractionEffect, FactQuery, Store, WikiEffect};

async fn facts(store: &dyn Store) -> Vec<crate::StoredFact> {
    store.facts(&FactQuery { limit: 50, ..FactQuery::default() }).await.unwrap()
}

/// Not left behind.
pub async fn a_fact_that_is_no_longer_found_is_gone(store: &dyn Store) {
    let channel = channel(store).await;
    through(
        store,
        &channel,
        vec![message(1, "decision Redis"), message(2, "decision Kafka")],
        decisions,
    )
    .await;
    let stored = facts(store).await;
    assert_eq!(
        stored.iter().map(|f| f.fact.text.as_str()).collect::<Vec<_>>(),
        ["decision Kafka", "decision Redis"]
    );
    assert_eq!(stored[0].sources[0].quote, "decision Kafka");
    assert_eq!(stored[0].entities[0].name, "Kafka in 000002");
    let edited =
        domain::Message { edited_at: Some(message(9, "").sent_at), ..message(1, "never mind") };
    through(store, &channel, vec![edited], decisions).await;
    assert_eq!(facts(store).await.len(), 1);
    assert!(store.entity(&technology("Redis").id("slack:T1")).await.unwrap().is_none());
    let gone = FactId::derive(&["x"]);
    assert!(store.fact(&gone).await.unwrap().is_none());
}

/// And none of a search's characters has a meaning of its own.
pub async fn a_search_finds_a_text_whatever_its_case(store: &dyn Store) {
    let channel = channel(store).await;
    through(store, &channel, vec![message(1, "decision Kafka at 100% Öl")], decisions).await;
    for (text, found) in [
        ("KAFKA", 1),
        ("kafka at", 1),
        ("100% öL", 0),
        ("100% Öl", 1),
        ("Kafka%100", 0),
        ("_afka", 0),
    ] {
        let text = Some(text.to_owned());
        let query = FactQuery { text: text.clone(), limit: 50, ..FactQuery::default() };
        assert_eq!(store.facts(&query).await.unwrap().len(), found, "{text:?}");
    }
    for (text, found) in [("kafka", 1), ("KAF", 1), ("redis", 0)] {
        let query =
            EntityQuery { text: Some(text.to_owned()), limit: 50, ..EntityQuery::default() };
        assert_eq!(store.entities(&query).await.unwrap().len(), found, "{text}");
    }
}

/// Two workers read the same conversation, and the slower one read it earlier.
pub async fn an_extraction_of_older_messages_does_not_replace_a_newer_one(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, after) = walked(store, &channel, vec![message(1, "decision Redis")]).await;
    let batch = claimed(store, &after.released[0]).await;
    let seeds = [Seed { message_id: message(1, "").id, change_seq: 1 }];
    let touched = store.touched_units(&channel, &seeds).await.unwrap();
    let effect = |as_of: i64, text: &str| {
        let mut conversation = touched.units[0].conversation.clone();
        conversation.messages[0].text = text.to_owned();
        Effect::Extraction(ExtractionEffect {
            as_of,
            extracted: vec![ExtractedUnit {
                unit_id: conversation.unit_id.clone(),
                root: conversation.root.clone(),
                input_hash: text.to_owned(),
                extraction: decisions(&conversation),
            }],
            ..ExtractionEffect::default()
        })
    };
    committed(store, &batch.claim, effect(touched.as_of + 5, "decision Kafka")).await;
    store.cancel(&after.job.id, None).await.unwrap();
    let (_, after) = walked(store, &channel, vec![]).await;
    let late = claimed(store, &after.released[0]).await;
    committed(store, &late.claim, effect(touched.as_of, "decision Redis")).await;
    assert_eq!(facts(store).await[0].fact.text, "decision Kafka");
}

/// Order does not show.
pub async fn a_later_decision_supersedes_whatever_comes_in_first(store: &dyn Store) {
    let channel = channel(store).await;
    through(store, &channel, vec![message(500, "decision Kafka not Redis")], decisions).await;
    through(store, &channel, vec![message(1, "decision Redis")], decisions).await;
    through(store, &channel, vec![message(900, "decision Redis")], decisions).await;
    let stored = facts(store).await;
    let told: Vec<_> =
        stored.iter().map(|f| (f.fact.asserted_at.micros() / 60_000_000, f.status)).collect();
    assert_eq!(told, [(900, None), (500, None), (1, Some(FactStatus::Superseded))]);
    assert_eq!(stored[2].superseded_by.as_ref(), Some(&stored[1].fact.id));
    assert_eq!(stored[2].valid_until, Some(stored[1].fact.asserted_at));
}

/// Each a function of its mentions.
pub async fn an_entity_knows_its_first_and_last_message_and_newest_name(store: &dyn Store) {
    let channel = channel(store).await;
    for minute in [500, 1, 900] {
        through(store, &channel, vec![message(minute, "decision Redis")], decisions).await;
    }
    let entity = store.entity(&technology("Redis").id("slack:T1")).await.unwrap().unwrap();
    assert_eq!(
        (entity.first_seen, entity.last_seen),
        (message(1, "").sent_at, message(900, "").sent_at)
    );
    assert_eq!((entity.name.as_str(), entity.fact_count), ("Redis in 000900", 3));
    assert_eq!(entity.aliases, ["Redis in 000001", "Redis in 000500"]);
}

/// And keeps its address.
pub async fn a_page_has_a_new_version_only_when_its_text_changed(store: &dyn Store) {
    let channel = channel(store).await;
    let rendered = |hash: &str, content: &str| RenderedPage {
        key: PageKey::only(PageKind::Decisions),
        slug: "decisions".into(),
        title: "Decisions".into(),
        input_hash: hash.into(),
        content: content.into(),
        fact_count: 1,
        citations: vec![],
    };
    for (hash, content, version) in [("1", "a", 1), ("2", "a", 1), ("3", "b", 2)] {
        let (_, after) = walked(store, &channel, vec![]).await;
        let wiki = claimed(store, &after.released[0]).await;
        let pages = vec![rendered(hash, content)];
        committed(
            store,
            &wiki.claim,
            Effect::Wiki(WikiEffect { pages, end: true, ..Default::default() }),
        )
        .await;
        let page = store.page(&channel, "decisions", None).await.unwrap().unwrap();
        assert_eq!((page.version, page.content.as_str()), (version, content));
        assert_eq!(store.wiki_state(&channel).await.unwrap().pages[0].input_hash, hash);
    }
    let (_, after) = walked(store, &channel, vec![]).await;
    let wiki = claimed(store, &after.released[0]).await;
    let removed = vec![PageKey::only(PageKind::Decisions)];
    committed(
        store,
        &wiki.claim,
        Effect::Wiki(WikiEffect { removed, end: true, ..Default::default() }),
    )
    .await;
    assert!(store.page(&channel, "decisions", None).await.unwrap().is_none());
    assert_eq!(store.page(&channel, "decisions", Some(1)).await.unwrap().unwrap().content, "a");
    assert_eq!(store.page_versions(&channel, "decisions", None, 9).await.unwrap().len(), 2);
}
