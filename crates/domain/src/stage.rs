//! The four stages of a sync.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A step of the pipeline. They overlap: a page is extracted while the next one is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Retrieving messages from the platform.
    FetchingMessages,
    /// Extracting atomic facts.
    ExtractingFacts,
    /// Updating the knowledge graph.
    BuildingGraph,
    /// Regenerating wiki pages.
    GeneratingWiki,
}

impl Stage {
    /// All stages, in the order in which work passes them.
    pub const ALL: [Self; 4] =
        [Self::FetchingMessages, Self::ExtractingFacts, Self::BuildingGraph, Self::GeneratingWiki];

    /// The name that the API, the database, the metrics and the logs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FetchingMessages => "fetching_messages",
            Self::ExtractingFacts => "extracting_facts",
            Self::BuildingGraph => "building_graph",
            Self::GeneratingWiki => "generating_wiki",
        }
    }

    /// Position in [`Stage::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no stage has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no stage is called {0:?}")]
pub struct UnknownStage(pub String);

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.as_str() == name)
            .ok_or_else(|| UnknownStage(name.to_owned()))
    }
}
