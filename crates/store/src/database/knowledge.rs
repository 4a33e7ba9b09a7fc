//! Facts, entities and relationships, as they are read.

mod entities;
mod facts;
mod neighbors;
mod relationships;
mod units;

pub(super) use self::{
    entities::names, facts::newest_of_channels as newest_facts,
    relationships::best_of_channels as best_relationships,
};

use async_trait::async_trait;
use domain::{EntityId, FactId, UnitId};
use futures_util::FutureExt as _;

use super::Database;
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
        self.together(&self.shared.gatherings.unit_knowledge, units.to_vec(), |database, lists| {
            // One snapshot for all statements.
            async { units::of_lists(&mut database.snapshot().await?, lists).await }.boxed()
        })
        .await
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
