//! What all pages of a channel are rendered from.

use std::collections::BTreeMap;

use domain::{ChannelId, EntityId, fact::Person, graph::EntityType};

use crate::{
    ContributorRow, Result, SceneBounds, TopicRow, WikiScene,
    database::{
        Session,
        channels::{CHANNEL, channel},
        json,
        knowledge::{best_relationships, names, newest_facts},
        query::{Query, query},
        row::{Columns as _, Row},
    },
};

/// Rows by their channel.
type ByChannel<T> = BTreeMap<ChannelId, Vec<T>>;

/// Of channels, in order, all within the same bounds.
pub(super) async fn scenes(
    connection: &mut Session,
    asked: &[(ChannelId, SceneBounds)],
) -> Result<Vec<Option<WikiScene>>> {
    let Some((_, bounds)) = asked.first() else { return Ok(Vec::new()) };
    let ids = json::encode(&asked.iter().map(|(id, _)| id).collect::<Vec<_>>())?;
    let sql = format!("{CHANNEL} WHERE channel_id IN (SELECT atom FROM json_each($1))");
    let rows = Query::built(sql).bind(&ids).fetch_all(connection).await?;
    let mut topics = topics(connection, &ids, bounds).await?;
    let mut contributors = contributors(connection, &ids, bounds).await?;
    let mut published: ByChannel<_> = BTreeMap::new();
    for fact in newest_facts(connection, &ids, bounds.facts).await? {
        published.entry(fact.channel_id.clone()).or_default().push(fact);
    }
    let mut relationships: ByChannel<_> = BTreeMap::new();
    for relationship in best_relationships(connection, &ids, bounds.relationships).await? {
        relationships.entry(relationship.channel_id.clone()).or_default().push(relationship);
    }
    let ends = relationships.values().flatten().flat_map(|r| [&r.source, &r.target]);
    let named = names(connection, &ends.collect::<Vec<_>>()).await?;
    let named: BTreeMap<EntityId, (EntityType, String)> =
        named.into_iter().map(|(id, kind, name)| (id, (kind, name))).collect();

    let mut scenes = BTreeMap::new();
    for row in &rows {
        let channel = channel(row)?;
        let id = channel.id.clone();
        let relationships = relationships.remove(&id).unwrap_or_default();
        let ends = relationships.iter().flat_map(|r| [&r.source, &r.target]);
        let names = ends.filter_map(|end| Some((end.clone(), named.get(end)?.clone()))).collect();
        let scene = WikiScene {
            channel,
            topics: topics.remove(&id).unwrap_or_default(),
            contributors: contributors.remove(&id).unwrap_or_default(),
            published: published.remove(&id).unwrap_or_default(),
            relationships,
            names,
        };
        scenes.insert(id, scene);
    }
    Ok(asked.iter().map(|(id, _)| scenes.get(id).cloned()).collect())
}

async fn topics(
    connection: &mut Session,
    channels: &str,
    bounds: &SceneBounds,
) -> Result<ByChannel<TopicRow>> {
    let rows = query(
        "SELECT * FROM (
             SELECT counted.*, ROW_NUMBER() OVER (PARTITION BY channel_id
                 ORDER BY facts DESC, entity_id) AS place
             FROM (SELECT fact.channel_id, entity.entity_id, entity.type, entity.name,
                     COUNT(DISTINCT fact.fact_id) AS facts,
                     COUNT(DISTINCT fact.author_id) AS authors,
                     MAX(fact.asserted_at) AS last_asserted
                 FROM facts AS fact
                 JOIN fact_entities AS about ON about.fact_id = fact.fact_id
                 JOIN entities AS entity ON entity.entity_id = about.entity_id
                 WHERE fact.channel_id IN (SELECT atom FROM json_each($1))
                     AND fact.published = TRUE AND entity.type <> 'person'
                 GROUP BY fact.channel_id, entity.entity_id
                 HAVING COUNT(DISTINCT fact.fact_id) >= $2) AS counted) AS ranked
         WHERE place <= $3 ORDER BY channel_id, place",
    )
    .bind(channels)
    .bind(bounds.facts_of_a_topic)
    .bind(bounds.topics)
    .fetch_all(connection)
    .await?;
    by_channel(&rows, topic)
}

async fn contributors(
    connection: &mut Session,
    channels: &str,
    bounds: &SceneBounds,
) -> Result<ByChannel<ContributorRow>> {
    let rows = query(
        "SELECT * FROM (
             SELECT named.*, ROW_NUMBER() OVER (PARTITION BY channel_id
                 ORDER BY facts DESC, name, author_id) AS place
             FROM (SELECT counted.*, COALESCE((SELECT entity.name FROM entities AS entity
                         WHERE entity.type = 'person' AND entity.key = counted.author_id
                             AND entity.scope = (SELECT platform || ':' || workspace
                                 FROM channels JOIN connections USING (connection_id)
                                 WHERE channels.channel_id = counted.channel_id)),
                     author_id) AS name
                 FROM (SELECT channel_id, author_id, COUNT(*) AS facts FROM facts
                     WHERE channel_id IN (SELECT atom FROM json_each($1)) AND published = TRUE
                         AND author_id IS NOT NULL
                     GROUP BY channel_id, author_id) AS counted) AS named) AS ranked
         WHERE place <= $2 ORDER BY channel_id, place",
    )
    .bind(channels)
    .bind(bounds.contributors)
    .fetch_all(connection)
    .await?;
    by_channel(&rows, contributor)
}

fn by_channel<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<ByChannel<T>> {
    let mut found: ByChannel<T> = BTreeMap::new();
    for row in rows {
        found.entry(row.id("channel_id")?).or_default().push(read(row)?);
    }
    Ok(found)
}

fn topic(row: &Row) -> Result<TopicRow> {
    Ok(TopicRow {
        entity_id: row.parsed("entity_id")?,
        kind: row.parsed("type")?,
        name: row.column("name")?,
        facts: row.number("facts")?,
        authors: row.number("authors")?,
        last_asserted: row.time("last_asserted")?,
    })
}

fn contributor(row: &Row) -> Result<ContributorRow> {
    Ok(ContributorRow {
        person: Person { id: row.optional_id("author_id")?, name: row.column("name")? },
        facts: row.number("facts")?,
    })
}
