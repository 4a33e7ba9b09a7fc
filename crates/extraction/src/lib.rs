//! The extraction port: from a conversation to facts, entities and relationships.
