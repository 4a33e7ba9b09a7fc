//! Facts, entities and relationships, as they are read.

mod entities;
mod facts;
mod neighbors;
mod relationships;
mod units;

use async_trait::async_trait;
use domain::{ChannelId, EntityId, FactId, UnitId, graph::EntityType};

use super::{Database, query::query, row::Columns as _};
use crate::{
    EntityQuery, FactQuery, Knowledge, RelationshipQuery, Result, StoredEntity, StoredFact,
    StoredRelationship, UnitKnowledge,
};

#[async_trait]
impl Knowledge for Database {
    async fn facts(&self, query: &FactQuery) -> Result<Vec<StoredFact>> {
        // One snapshot for all its statements.
        facts::list(&mut self.snapshot().await?, query).await
    }

    async fn fact(&self, id: &FactId) -> Result<Option<StoredFact>> {
        // One snapshot for all its statements.
        facts::one(&mut self.snapshot().await?, id).await
    }

    async fn entities(&self, query: &EntityQuery) -> Result<Vec<StoredEntity>> {
        entities::list(&mut self.read().await?, query).await
    }

    async fn entity(&self, id: &EntityId) -> Result<Option<StoredEntity>> {
        let found = entities::by_ids(&mut self.read().await?, &[id]).await?;
        Ok(found.into_iter().next())
    }

    async fn names(&self, ids: &[EntityId]) -> Result<Vec<(EntityId, EntityType, String)>> {
        entities::names(&mut self.read().await?, ids).await
    }

    async fn neighbors(
        &self,
        id: &EntityId,
        depth: u8,
    ) -> Result<(Vec<StoredEntity>, Vec<StoredRelationship>)> {
        // One snapshot for all its statements.
        neighbors::around(&mut self.snapshot().await?, id, depth).await
    }

    async fn relationships(
        &self,
        query: &RelationshipQuery,
    ) -> Result<Vec<(u32, StoredRelationship)>> {
        relationships::list(&mut self.read().await?, query).await
    }

    async fn unit_knowledge(&self, units: &[UnitId]) -> Result<Vec<UnitKnowledge>> {
        // One snapshot for all its statements.
        units::knowledge(&mut self.snapshot().await?, units).await
    }

    async fn scope(&self, channel: &ChannelId) -> Result<Option<String>> {
        let mut reader = self.read().await?;
        let row = query(
            "SELECT platform || ':' || workspace AS scope
             FROM channels JOIN connections USING (connection_id) WHERE channel_id = $1",
        )
        .bind(channel.as_str())
        .fetch_optional(&mut reader)
        .await?;
        row.map(|row| row.column("scope")).transpose()
    }
}

/// A pattern for `LOWER(…) LIKE … ESCAPE '\'` that finds a text anywhere. SQLite and the "C" collation know
/// the case of ASCII letters only.
fn anywhere(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.to_ascii_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
