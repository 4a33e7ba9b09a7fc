//! Small channels beside a large one: separate processes on PostgreSQL, RabbitMQ and Redis.

use std::time::{Duration, Instant};

use system_tests::{Fleet, channels_archive};

/// Enough to be at work for long after all else is done.
const LARGE: usize = 30_000;

/// What a small channel may take meanwhile; an unoptimised build is itself that much slower.
const SOON: Duration = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 3 });

#[tokio::test(flavor = "multi_thread")]
async fn a_small_channel_does_not_wait_for_a_large_one() {
    let fleet = Fleet::start(&[]).await;
    let import = fleet.api.upload(channels_archive(&[LARGE, 20, 20, 20, 20, 20])).await;
    assert_eq!(import["status"], "completed", "{import}");
    let large = fleet.api.trigger("C0", false).await;
    let moves = async || {
        let status = fleet.api.status("C0", &large).await;
        status["progress"]["processed_messages"].as_u64().filter(|processed| *processed > 0)
    };
    fleet.api.until(moves).await;
    let mut took = Vec::new();
    for small in ["C1", "C2", "C3", "C4", "C5"] {
        let begun = Instant::now();
        fleet.api.sync(small).await;
        took.push(begun.elapsed());
        assert_eq!(fleet.api.status("C0", &large).await["status"], "running");
    }
    took.sort();
    // What else this machine does may slow any one of them down.
    assert!(took[took.len() / 2] < SOON, "{took:?}");
}
