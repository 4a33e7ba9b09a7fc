//! How long a server's answer is waited for.
//!
//! A connection can be half open: what is sent on it goes nowhere, and no error ever comes. Whoever waited for
//! that would wait for ever, with all that waits for them.

use std::{
    io,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};

/// Longest wait for the answer to one statement, which may itself wait for the locks of others.
const ANSWER: Duration = Duration::from_secs(30);

/// Longest wait for a sign of life, which waits for nobody.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// How long connections are asked for a sign of life after one was given up in the middle of an answer.
const DOUBT: Duration = Duration::from_secs(60);

/// When a connection of this process was last given up so.
static GIVEN_UP: Mutex<Option<Instant>> = Mutex::new(None);

/// Doubts the server's connections, unless it is told that the answer has come.
struct Waiting {
    answered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            *GIVEN_UP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}

/// Waits for an answer, but not for ever. The connection is not to be used again after an error.
pub(crate) async fn answered<T>(asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    // The connection that it holds goes back to the pool after the doubt is known.
    let mut asked = pin!(asked);
    let mut waiting = Waiting { answered: false };
    let answer = within(ANSWER, asked.as_mut()).await;
    waiting.answered = !matches!(&answer, Err(sqlx::Error::Io(_)));
    answer
}

/// Whether a connection still leads to the server.
pub(super) async fn sign_of_life(connection: &mut PgConnection) -> sqlx::Result<()> {
    within(SIGN_OF_LIFE, connection.ping()).await
}

/// Likewise, of a connection that goes back to the pool, when there is reason to doubt it: the question costs
/// as much as a small statement.
pub(super) async fn sign_of_life_in_doubt(connection: &mut PgConnection) -> sqlx::Result<()> {
    let given_up = *GIVEN_UP.lock().unwrap_or_else(PoisonError::into_inner);
    match given_up.is_some_and(|at| at.elapsed() < DOUBT) {
        true => sign_of_life(connection).await,
        false => Ok(()),
    }
}

async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let answer = tokio::time::timeout(limit, asked).await;
    answer.unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late).into()))
}
