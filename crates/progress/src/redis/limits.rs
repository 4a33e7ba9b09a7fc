//! Turns counted by the server, by its clock: one script, one round trip, one cell a name.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use redis::Script;

use super::{RedisProgress, unavailable};
use crate::{Limits, Rate, Result};

/// Numbers are written in full: by itself the server would round a time to 14 digits.
static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
         local now = time[1] * 1000000 + time[2]
         local paused = tonumber(redis.call('HGET', KEYS[1], 'paused_until') or '0')
         if paused > now then return paused - now end
         local every, credit = tonumber(ARGV[1]), tonumber(ARGV[2])
         local paid = math.max(tonumber(redis.call('HGET', KEYS[1], 'paid_at') or '0'), now)
         if paid - credit > now then return paid - credit - now end
         paid = paid + every
         redis.call('HSET', KEYS[1], 'paid_at', string.format('%.0f', paid))
         redis.call('PEXPIRE', KEYS[1], math.ceil((paid - now) / 1000) + 1000)
         return 0",
    )
});

static PAUSE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
         local now = time[1] * 1000000 + time[2]
         local credit = tonumber(ARGV[2])
         local paused = tonumber(redis.call('HGET', KEYS[1], 'paused_until') or '0')
         paused = math.max(paused, now + tonumber(ARGV[1]))
         local paid = tonumber(redis.call('HGET', KEYS[1], 'paid_at') or '0')
         paid = math.max(paid, paused + credit)
         redis.call('HSET', KEYS[1], 'paid_at', string.format('%.0f', paid),
             'paused_until', string.format('%.0f', paused))
         redis.call('PEXPIRE', KEYS[1], math.ceil((paid - now) / 1000) + 1000)
         return 0",
    )
});

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn credit(rate: Rate) -> u64 {
    micros(rate.every).saturating_mul(u64::from(rate.burst.max(1) - 1))
}

#[async_trait]
impl Limits for RedisProgress {
    async fn acquire(&self, name: &str, rate: Rate) -> Result<Duration> {
        let mut commands = self.inner.commands.clone();
        let wait: redis::RedisResult<u64> = ACQUIRE
            .key(format!("{}:limit:{name}", self.inner.prefix))
            .arg(micros(rate.every))
            .arg(credit(rate))
            .invoke_async(&mut commands)
            .await;
        wait.map(Duration::from_micros).map_err(unavailable)
    }

    async fn pause(&self, name: &str, pause: Duration, rate: Rate) -> Result<()> {
        let mut commands = self.inner.commands.clone();
        let paused: redis::RedisResult<i64> = PAUSE
            .key(format!("{}:limit:{name}", self.inner.prefix))
            .arg(micros(pause))
            .arg(credit(rate))
            .invoke_async(&mut commands)
            .await;
        paused.map(drop).map_err(unavailable)
    }
}
