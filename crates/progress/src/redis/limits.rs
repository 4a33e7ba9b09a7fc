//! Turns counted by the server, by its clock: one script, one round trip, one cell a name.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use redis::{Script, ScriptInvocation};

use super::{RedisProgress, unavailable};
use crate::{
    Limits, Rate, Result, Turn,
    limits::{FASTER, REMEMBERED, SLOWER},
};

/// Reads a cell and says how to keep it. Numbers are written in full: by itself the server would round a
/// time to 14 digits.
const CELL: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local kept = redis.call('HMGET', KEYS[1], 'paid_at', 'paused_until', 'every')
    local paid, paused = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
    local first, burst, fastest, slowest = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
    local every = math.min(math.max(tonumber(kept[3] or first), fastest), slowest)
    local function credit()
        if every > first then return 0 end
        return every * (burst - 1)
    end
    local function keep()
        local function written(number) return string.format('%.0f', number) end
        redis.call('HSET', KEYS[1], 'paid_at', written(paid), 'paused_until', written(paused),
            'every', written(every))
        local known_for = 0
        if every ~= first then known_for = tonumber(ARGV[5]) end
        redis.call('PEXPIRE', KEYS[1], math.ceil((paid + known_for - now) / 1000) + 1000)
    end
";

const ACQUIRE: &str = "
    if paused > now then return {paused - now, every} end
    paid = math.max(paid, now)
    local owed = paid - credit()
    if owed > now then return {owed - now, every} end
    every = math.max(math.floor(every / ARGV[6]), fastest)
    paid = paid + every
    keep()
    return {0, every}
";

const PAUSE: &str = "
    local sent = now - ARGV[8]
    if sent >= paused then every = math.min(math.floor(every / ARGV[6]), slowest) end
    paused = math.max(paused, now + ARGV[7])
    paid = math.max(paid, paused + credit())
    keep()
    return 0
";

static ACQUIRED: LazyLock<Script> = LazyLock::new(|| Script::new(&[CELL, ACQUIRE].concat()));
static PAUSED: LazyLock<Script> = LazyLock::new(|| Script::new(&[CELL, PAUSE].concat()));

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A script about a cell, with what both need to know.
fn about(script: &'static Script, key: String, rate: Rate) -> ScriptInvocation<'static> {
    let mut call = script.key(key);
    call.arg(micros(rate.every))
        .arg(rate.burst.max(1))
        .arg(micros(rate.fastest))
        .arg(micros(rate.slowest))
        .arg(micros(REMEMBERED));
    call
}

impl RedisProgress {
    fn limit_key(&self, name: &str) -> String {
        format!("{}:limit:{name}", self.inner.prefix)
    }
}

#[async_trait]
impl Limits for RedisProgress {
    async fn acquire(&self, name: &str, rate: Rate) -> Result<Turn> {
        let mut commands = self.inner.commands.clone();
        let mut call = about(&ACQUIRED, self.limit_key(name), rate);
        let told: redis::RedisResult<(u64, u64)> =
            call.arg(FASTER).invoke_async(&mut commands).await;
        let (wait, every) = told.map_err(unavailable)?;
        Ok(Turn { wait: Duration::from_micros(wait), every: Duration::from_micros(every) })
    }

    async fn pause(&self, name: &str, pause: Duration, sent: Instant, rate: Rate) -> Result<()> {
        let mut commands = self.inner.commands.clone();
        let mut call = about(&PAUSED, self.limit_key(name), rate);
        call.arg(SLOWER).arg(micros(pause)).arg(micros(sent.elapsed()));
        let paused: redis::RedisResult<i64> = call.invoke_async(&mut commands).await;
        paused.map(drop).map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use redis::AsyncCommands as _;

    use super::*;

    #[tokio::test]
    async fn a_cell_leaves_by_itself_and_what_was_learned_after_a_day() {
        let progress = super::super::tests::fresh();
        let known = Rate::known(Duration::from_millis(10), 1);
        let learned = Rate { slowest: Duration::from_secs(1), ..known };
        progress.acquire("known", known).await.unwrap();
        progress.pause("learned", Duration::from_secs(1), Instant::now(), learned).await.unwrap();
        let mut commands = progress.inner.commands.clone();
        let mut left = async |name: &str| -> u64 {
            let left: i64 = commands.pttl(progress.limit_key(name)).await.unwrap();
            u64::try_from(left).expect("it leaves") / 1_000
        };
        assert!(left("known").await <= 2);
        let day = REMEMBERED.as_secs();
        assert!((day - 60..=day + 3).contains(&left("learned").await));
    }
}
