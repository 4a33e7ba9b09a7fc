//! Connections, what they hold, and what ends with them.

use domain::{
    ChannelId, ConnectionId, ConnectionStatus, ErrorCode, JobStatus, Platform, SyncError,
    task::TaskInput,
};

use super::{
    imports::imported,
    scene::{channel, claimed, committed, message, started, wanted},
};
use crate::{
    Added, ConnectionChange, Effect, NewChannel, NewConnection, PageEffect, PageNext, Plan, Sealed,
    Store, Triggered, WalkStart,
};

fn sealed(name: &str) -> Sealed {
    Sealed { master_key: "m1".into(), wrapped_key: vec![0, 1, 255], bytes: name.into() }
}

fn new(id: ConnectionId, workspace: &str) -> NewConnection {
    NewConnection {
        id,
        name: "Team".into(),
        platform: Platform::Slack,
        workspace: workspace.into(),
        base_url: Some("https://chat.example.org/".into()),
        credentials: sealed("first"),
    }
}

async fn added(store: &dyn Store, workspace: &str) -> ConnectionId {
    match store.add_connection(&new(ConnectionId::random(), workspace)).await.unwrap() {
        Added::Added(connection) => connection.id,
        other => panic!("{other:?}"),
    }
}

fn offered(id: &str) -> NewChannel {
    NewChannel { external_id: id.into(), name: id.to_lowercase(), topic: String::new() }
}

async fn begins(store: &dyn Store, channel: &ChannelId) -> WalkStart {
    store.walk_start(channel).await.unwrap().unwrap()
}

fn refused() -> SyncError {
    SyncError::new(ErrorCode::AuthError, "the connection was removed")
}

/// With the version that they have.
pub async fn a_connection_holds_its_sealed_credentials(store: &dyn Store) {
    let id = added(store, "T1").await;
    let held = store.credentials(&id).await.unwrap().unwrap();
    assert_eq!(held.sealed, Some(sealed("first")));
    assert_eq!(held.connection.status, ConnectionStatus::Connected);
    let change = ConnectionChange { credentials: Some(sealed("second")), ..Default::default() };
    let changed = store.change_connection(&id, &change).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.base_url), ("Team", held.connection.base_url));
    let newer = store.credentials(&id).await.unwrap().unwrap();
    assert_eq!(newer.sealed, Some(sealed("second")));
    assert!(newer.version > held.version);
    let nobody = ConnectionId::random();
    assert!(store.credentials(&nobody).await.unwrap().is_none());
    assert!(store.change_connection(&nobody, &change).await.unwrap().is_none());
}

/// A second account of a workspace would bring its messages twice.
pub async fn a_workspace_has_one_connection(store: &dyn Store) {
    let id = added(store, "T1").await;
    assert_eq!(store.vacant_connection(Platform::Slack, "T1").await.unwrap(), None);
    let again = store.add_connection(&new(ConnectionId::random(), "T1")).await.unwrap();
    assert!(matches!(again, Added::Exists(other) if other == id));
    added(store, "T2").await;
    let page = store.connections(None, 1).await.unwrap();
    let rest = store.connections(Some(&page[0].connection.id), 10).await.unwrap();
    assert_eq!((page.len(), rest.len()), (1, 1));
}

/// So that an import and the platform are one set of messages.
pub async fn the_connection_of_imports_is_taken_up(store: &dyn Store) {
    let channel = channel(store).await;
    let vacant = store.vacant_connection(Platform::Slack, "T1").await.unwrap().unwrap();
    let wrong = store.add_connection(&new(ConnectionId::random(), "T1")).await.unwrap();
    assert!(matches!(wrong, Added::Exists(_)), "sealed for another connection");
    let taken = store.add_connection(&new(vacant.clone(), "T1")).await.unwrap();
    assert!(matches!(taken, Added::Added(connection) if connection.id == vacant));
    let chosen = store.choose_channels(&vacant, &[offered("C1")], None).await.unwrap();
    assert_eq!(chosen[0].id, channel);
}

/// Said of older credentials it is no news.
pub async fn what_the_platform_refuses_is_said_of_these_credentials_only(store: &dyn Store) {
    let id = added(store, "T1").await;
    let old = store.credentials(&id).await.unwrap().unwrap().version;
    assert!(store.judge_credentials(&id, old, Some(&refused())).await.unwrap());
    let summary = store.connection_summary(&id).await.unwrap().unwrap();
    assert_eq!(summary.connection.status, ConnectionStatus::Error);
    assert_eq!(summary.connection.error, Some(refused()));
    let change = ConnectionChange { credentials: Some(sealed("new")), ..Default::default() };
    let changed = store.change_connection(&id, &change).await.unwrap().unwrap();
    assert_eq!((changed.status, changed.error), (ConnectionStatus::Connected, None));
    assert!(!store.judge_credentials(&id, old, Some(&refused())).await.unwrap());
    let now = store.credentials(&id).await.unwrap().unwrap();
    assert_eq!(now.connection.status, ConnectionStatus::Connected);
    assert!(store.judge_credentials(&id, now.version, Some(&refused())).await.unwrap());
    assert!(store.judge_credentials(&id, now.version, None).await.unwrap());
}

/// The others are no longer walked, and what was brought of them stays.
pub async fn chosen_channels_are_walked_and_no_others(store: &dyn Store) {
    let id = added(store, "T1").await;
    let next_sync = Some(store.now().await.unwrap());
    let plan = Plan { expression: "0 * * * *".into(), timezone: "UTC".into(), next_sync };
    let some = [offered("C2"), offered("C1")];
    let chosen = store.choose_channels(&id, &some, Some(&plan)).await.unwrap();
    assert_eq!(chosen.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["C2", "C1"]);
    assert_eq!(store.schedules(None).await.unwrap().len(), 2);
    assert_eq!(begins(store, &"C1".into()).await.live, Some(Default::default()));
    store.choose_channels(&id, &[offered("C2"), offered("C3")], None).await.unwrap();
    assert_eq!(begins(store, &"C1".into()).await.live, None);
    let schedules = store.schedules(None).await.unwrap();
    assert_eq!(schedules.iter().map(|s| s.channel_id.as_str()).collect::<Vec<_>>(), ["C2"]);
    let known = store.connection_channels(&id).await.unwrap();
    let known: Vec<_> = known.iter().map(|(c, live)| (c.id.as_str(), *live)).collect();
    assert_eq!(known, [("C1", false), ("C2", true), ("C3", true)]);
    assert_eq!(store.connection_summary(&id).await.unwrap().unwrap().channels, 3);
}

/// It would end with nothing and call itself done.
pub async fn what_is_neither_chosen_nor_imported_is_not_synchronised(store: &dyn Store) {
    let id = added(store, "T1").await;
    store.choose_channels(&id, &[offered("C1"), offered("C2")], None).await.unwrap();
    store.choose_channels(&id, &[offered("C2")], None).await.unwrap();
    let (dropped, chosen) = ("C1".into(), "C2".into());
    let refused = store.trigger(wanted(&dropped)).await.unwrap();
    assert!(matches!(refused, Triggered::NotChosen(of) if of == id));
    assert!(begins(store, &dropped).await.not_chosen);
    assert!(!begins(store, &chosen).await.not_chosen);
    assert_eq!(store.walk_start(&"C9".into()).await.unwrap(), None);
    started(store, &chosen).await;
    imported(store, &dropped, &[message(1, "from an export")]).await;
    assert!(!begins(store, &dropped).await.not_chosen);
    started(store, &dropped).await;
}

/// Each from a watermark of its own, in one task.
pub async fn imports_are_walked_first_and_then_the_platform(store: &dyn Store) {
    let id = added(store, "T1").await;
    let channel = store.choose_channels(&id, &[offered("C1")], None).await.unwrap().remove(0).id;
    let (job, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let live = PageNext::Live(Some("imported".into()));
    let said = vec![message(1, "a")];
    committed(store, &fetch.claim, Effect::Page(PageEffect::new(said, live))).await;
    assert_eq!(begins(store, &channel).await.watermark.as_deref(), Some("imported"));
    store.give_back(&fetch.claim).await.unwrap();
    let fetch = claimed(store, &task).await;
    assert_eq!(fetch.input, TaskInput::FetchLive { cursor: None });
    let page = |said, next| Effect::Page(PageEffect { live: true, ..PageEffect::new(said, next) });
    let on = PageNext::SameSlice("on".into());
    committed(store, &fetch.claim, page(vec![message(2, "b")], on)).await;
    let next = PageNext::NewSlice("further".into());
    let mut after = committed(store, &fetch.claim, page(vec![], next)).await;
    after.released.retain(|task| task.stage == domain::Stage::FetchingMessages);
    let fetch = claimed(store, &after.released[0]).await;
    assert_eq!(fetch.input, TaskInput::FetchLive { cursor: Some("further".into()) });
    let end = PageNext::End(Some("walked".into()));
    committed(store, &fetch.claim, page(vec![], end)).await;
    let walk = begins(store, &channel).await.live.unwrap();
    assert_eq!(walk.watermark.as_deref(), Some("walked"));
    assert_eq!(begins(store, &channel).await.watermark.as_deref(), Some("imported"));
    assert_eq!(store.job(&job.id).await.unwrap().unwrap().total_messages, 2);
    store.cancel(&job.id, None).await.unwrap();
    store.erase_channel(&channel).await.unwrap().unwrap();
    assert_eq!(begins(store, &channel).await.live, Some(Default::default()));
}

/// Where nothing new was imported the platform is walked by the task that looked.
pub async fn a_task_that_goes_on_at_the_platform_stays_there(store: &dyn Store) {
    let id = added(store, "T1").await;
    let channel = store.choose_channels(&id, &[offered("C1")], None).await.unwrap().remove(0).id;
    let (_, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let page = |next| Effect::Page(PageEffect { live: true, ..PageEffect::new(vec![], next) });
    committed(store, &fetch.claim, page(PageNext::SameSlice("on".into()))).await;
    store.give_back(&fetch.claim).await.unwrap();
    let fetch = claimed(store, &task).await;
    assert_eq!(fetch.input, TaskInput::FetchLive { cursor: Some("on".into()) });
    committed(store, &fetch.claim, page(PageNext::End(Some("walked".into())))).await;
    let walk = begins(store, &channel).await.live.unwrap();
    assert_eq!(walk.watermark.as_deref(), Some("walked"));
    assert_eq!(begins(store, &channel).await.watermark, None);
}

/// An export has no permalinks, and older reactions.
pub async fn what_the_platform_tells_stands_against_an_export_of_the_same_revision(
    store: &dyn Store,
) {
    let id = added(store, "T1").await;
    let channel = store.choose_channels(&id, &[offered("C1")], None).await.unwrap().remove(0).id;
    let (job, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let page = |text: &str, next| PageEffect::new(vec![message(1, text)], next);
    let export = page("export", PageNext::Live(Some("imported".into())));
    committed(store, &fetch.claim, Effect::Page(export)).await;
    let said = PageEffect { live: true, ..page("live", PageNext::End(Some("walked".into()))) };
    committed(store, &fetch.claim, Effect::Page(said)).await;
    let text = async || store.message(&channel, &"000001".into()).await.unwrap().unwrap().text;
    assert_eq!(text().await, "live", "what was there came from an export");
    store.cancel(&job.id, None).await.unwrap();
    let (_, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let export = PageEffect::new(
        vec![message(1, "export"), message(2, "missed")],
        PageNext::Live(Some("imported again".into())),
    );
    committed(store, &fetch.claim, Effect::Page(export)).await;
    assert_eq!(text().await, "live");
    assert!(store.message(&channel, &"000002".into()).await.unwrap().is_some());
}

/// With a reason, and nothing is written after it.
pub async fn a_removed_connection_ends_its_jobs_and_leaves_its_channels(store: &dyn Store) {
    let id = added(store, "T1").await;
    let plan = Plan { expression: "0 * * * *".into(), timezone: "UTC".into(), next_sync: None };
    let chosen = store.choose_channels(&id, &[offered("C1"), offered("C2")], Some(&plan)).await;
    let channel = chosen.unwrap().remove(0).id;
    let (job, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let said = vec![message(1, "a")];
    let page = |next| Effect::Page(PageEffect::new(said.clone(), next));
    committed(store, &fetch.claim, page(PageNext::SameSlice("on".into()))).await;
    let ended = store.remove_connection(&id, &refused()).await.unwrap().unwrap();
    assert_eq!(ended.iter().map(|job| &job.id).collect::<Vec<_>>(), [&job.id]);
    assert_eq!((ended[0].status, &ended[0].error), (JobStatus::Failed, &Some(refused())));
    let late = store.commit(&fetch.claim, page(PageNext::End(None))).await.unwrap();
    assert!(late.is_none());
    assert!(store.connection(&id).await.unwrap().is_none());
    assert!(store.credentials(&id).await.unwrap().is_none());
    assert!(store.connections(None, 10).await.unwrap().is_empty());
    assert!(store.schedules(None).await.unwrap().is_empty());
    let summary = store.channel_summary(&channel).await.unwrap().unwrap();
    assert_eq!((summary.connected, summary.messages), (false, 1));
    assert!(store.remove_connection(&id, &refused()).await.unwrap().is_none());
    let back = store.vacant_connection(Platform::Slack, "T1").await.unwrap();
    assert_eq!(back.as_ref(), Some(&id));
    store.add_connection(&new(id.clone(), "T1")).await.unwrap();
    assert!(store.channel_summary(&channel).await.unwrap().unwrap().connected);
    assert!(begins(store, &channel).await.live.is_some());
}

/// It stays, to be given new ones.
pub async fn a_connection_without_credentials_is_disconnected(store: &dyn Store) {
    let id = added(store, "T1").await;
    let ended = store.disconnect(&id, &refused()).await.unwrap().unwrap();
    assert!(ended.is_empty());
    let held = store.credentials(&id).await.unwrap().unwrap();
    assert_eq!((held.connection.status, held.sealed), (ConnectionStatus::Disconnected, None));
    let change = ConnectionChange { credentials: Some(sealed("new")), ..Default::default() };
    let back = store.change_connection(&id, &change).await.unwrap().unwrap();
    assert_eq!(back.status, ConnectionStatus::Connected);
}

/// One at a time; what was changed meanwhile is not overwritten.
pub async fn credentials_are_rewrapped_by_another_master_key(store: &dyn Store) {
    let id = added(store, "T1").await;
    assert!(store.under_other_keys("m1", 10).await.unwrap().is_empty());
    let found = store.under_other_keys("m2", 10).await.unwrap();
    let [(found, Platform::Slack, old)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((found, old), (&id, &sealed("first")));
    let new = Sealed { master_key: "m2".into(), wrapped_key: vec![7], ..old.clone() };
    assert!(store.rewrap(&id, old, &new).await.unwrap());
    assert!(!store.rewrap(&id, old, &new).await.unwrap());
    assert_eq!(store.credentials(&id).await.unwrap().unwrap().sealed, Some(new));
    assert!(store.under_other_keys("m2", 10).await.unwrap().is_empty());
}
