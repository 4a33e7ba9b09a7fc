-- What decisions give up is rare among all that names an entity: a new decision looks here for later ones
-- that gave it up, however often its subject is named.
CREATE INDEX fact_entities_given_up ON fact_entities (entity_id, asserted_at, fact_id)
    WHERE reversed = TRUE;
