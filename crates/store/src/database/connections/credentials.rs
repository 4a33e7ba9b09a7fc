//! Connections as they are made and changed, and what they open accounts with.

use domain::{Connection, ConnectionId, Platform};

use super::connection;
use crate::{
    Added, ConnectionChange, Credentials, NewConnection, Result, Sealed,
    database::{
        Session,
        query::query,
        row::{Columns as _, Row},
    },
};

pub(super) async fn of(connection: &mut Session, id: &ConnectionId) -> Result<Option<Credentials>> {
    let row = query(
        "SELECT connections.*, master_key, wrapped_key, sealed
         FROM connections LEFT JOIN connection_credentials USING (connection_id)
         WHERE connection_id = $1 AND deleted_at IS NULL",
    )
    .bind(id.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let held = row.column::<Option<&str>>("master_key")?.is_some();
    Ok(Some(Credentials {
        connection: super::connection(&row)?,
        version: row.column("credentials_version")?,
        sealed: held.then(|| sealed(&row)).transpose()?,
    }))
}

fn sealed(row: &Row) -> Result<Sealed> {
    Ok(Sealed {
        master_key: row.column("master_key")?,
        wrapped_key: row.column("wrapped_key")?,
        bytes: row.column("sealed")?,
    })
}

pub(super) async fn add(write: &mut Session, new: &NewConnection) -> Result<Added> {
    let row = query(
        "SELECT connection_id, EXISTS (SELECT 1 FROM connection_credentials AS held
             WHERE held.connection_id = connections.connection_id) AS held
         FROM connections WHERE platform = $1 AND workspace = $2",
    )
    .bind(new.platform.as_str())
    .bind(&new.workspace)
    .fetch_optional(&mut *write)
    .await?;
    if let Some(row) = row {
        let id: ConnectionId = row.parsed("connection_id")?;
        // Sealed for another: made at the same moment by somebody else.
        if row.column("held")? || id != new.id {
            return Ok(Added::Exists(id));
        }
    }
    let now = write.now().await?;
    let row = query(
        "INSERT INTO connections (connection_id, name, platform, workspace, base_url, created_at,
             credentials_version)
         VALUES ($1, $2, $3, $4, $5, $6, 1)
         ON CONFLICT (connection_id) DO UPDATE SET name = excluded.name,
             base_url = excluded.base_url, error = NULL, disconnected = FALSE, deleted_at = NULL,
             credentials_version = connections.credentials_version + 1
         RETURNING *",
    )
    .bind(new.id.as_str())
    .bind(&new.name)
    .bind(new.platform.as_str())
    .bind(&new.workspace)
    .bind(new.base_url.clone())
    .bind(now.micros())
    .fetch_one(&mut *write)
    .await?;
    hold(write, &new.id, &new.credentials).await?;
    connection(&row).map(Added::Added)
}

async fn hold(write: &mut Session, id: &ConnectionId, sealed: &Sealed) -> Result<()> {
    query(
        "INSERT INTO connection_credentials (connection_id, master_key, wrapped_key, sealed)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (connection_id) DO UPDATE SET master_key = excluded.master_key,
             wrapped_key = excluded.wrapped_key, sealed = excluded.sealed",
    )
    .bind(id.as_str())
    .bind(&sealed.master_key)
    .bind(sealed.wrapped_key.as_slice())
    .bind(sealed.bytes.as_slice())
    .execute(write)
    .await?;
    Ok(())
}

pub(super) async fn change(
    write: &mut Session,
    id: &ConnectionId,
    change: &ConnectionChange,
) -> Result<Option<Connection>> {
    let row = query(
        "UPDATE connections SET name = COALESCE($2, name), base_url = COALESCE($3, base_url),
             error = CASE WHEN $4 THEN NULL ELSE error END,
             disconnected = CASE WHEN $4 THEN FALSE ELSE disconnected END,
             credentials_version = credentials_version + CASE WHEN $4 THEN 1 ELSE 0 END
         WHERE connection_id = $1 AND deleted_at IS NULL RETURNING *",
    )
    .bind(id.as_str())
    .bind(change.name.clone())
    .bind(change.base_url.clone())
    .bind(change.credentials.is_some())
    .fetch_optional(&mut *write)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if let Some(sealed) = &change.credentials {
        hold(write, id, sealed).await?;
    }
    connection(&row).map(Some)
}

pub(super) async fn under_other_keys(
    connection: &mut Session,
    master_key: &str,
    limit: u32,
) -> Result<Vec<(ConnectionId, Platform, Sealed)>> {
    let rows = query(
        "SELECT connection_id, platform, master_key, wrapped_key, sealed
         FROM connection_credentials JOIN connections USING (connection_id)
         WHERE master_key <> $1 ORDER BY connection_id LIMIT $2",
    )
    .bind(master_key)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.parsed("connection_id")?, row.parsed("platform")?, sealed(row)?)))
        .collect()
}

pub(super) async fn rewrap(
    write: &mut Session,
    id: &ConnectionId,
    old: &Sealed,
    new: &Sealed,
) -> Result<bool> {
    let outcome = query(
        "UPDATE connection_credentials SET master_key = $2, wrapped_key = $3
         WHERE connection_id = $1 AND master_key = $4 AND wrapped_key = $5",
    )
    .bind(id.as_str())
    .bind(&new.master_key)
    .bind(new.wrapped_key.as_slice())
    .bind(&old.master_key)
    .bind(old.wrapped_key.as_slice())
    .execute(write)
    .await?;
    Ok(outcome.rows_affected() == 1)
}
