//! The second stage: turns conversations into facts.
