//! What a process can do.

use std::str::FromStr;

/// A role; any number of processes may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Answers the HTTP API.
    Gateway,
    /// Starts what is due and repairs what stands still.
    Scheduler,
    /// Fetches messages, and reads uploads.
    FetchWorker,
    /// Extracts facts.
    ExtractWorker,
    /// Builds the graph.
    GraphWorker,
    /// Renders the wiki.
    WikiWorker,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Gateway,
        Self::Scheduler,
        Self::FetchWorker,
        Self::ExtractWorker,
        Self::GraphWorker,
        Self::WikiWorker,
    ];

    /// Its name, as `ATLAS_ROLES` and `--roles` take it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scheduler => "scheduler",
            Self::FetchWorker => "fetch-worker",
            Self::ExtractWorker => "extract-worker",
            Self::GraphWorker => "graph-worker",
            Self::WikiWorker => "wiki-worker",
        }
    }

    /// The program that has this role only.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Gateway => "atlas-gateway",
            Self::Scheduler => "atlas-scheduler",
            Self::FetchWorker => "atlas-fetch-worker",
            Self::ExtractWorker => "atlas-extract-worker",
            Self::GraphWorker => "atlas-graph-worker",
            Self::WikiWorker => "atlas-wiki-worker",
        }
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or(())
    }
}
