//! Tasks: claiming them, writing their results, and repairing what stands still.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    EntityId, FactId, Job, Message, MessageId, RelationshipId, Stage, SyncError, TaskRef,
    Timestamp, UnitId,
    fact::{EntityRole, Extraction, FactKind},
    graph::{EntityType, RelationshipType},
    page::{PageKey, RenderedPage},
    task::{Claim, ClaimedTask},
    walk::{Mark, Window},
};

use crate::Result;

/// What a worker writes. Ends its task unless said otherwise.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Puts what earlier jobs left pending into batches, a bounded number at a time; the task goes
    /// on. [`Committed::more`] says whether any is left.
    Leftovers,
    /// A page of the walk. The task goes on, ends with its slice, or ends the walk.
    Page(PageEffect),
    /// Facts of units; inserts the graph task that follows.
    Extraction(ExtractionEffect),
    /// What the graph makes of units; takes the task's messages through.
    Graph(GraphEffect),
    /// Rendered pages; completes the job unless more are to come.
    Wiki(WikiEffect),
    /// The attempt failed; the task is ready again after a wait.
    Retry {
        /// Why.
        error: SyncError,
        /// How long to wait.
        delay: Duration,
        /// Whether it counts (a rate limit does not).
        uses_attempt: bool,
    },
    /// The task is given up: a batch counts as failing, a fetch or wiki task fails the job.
    GiveUp {
        /// Why.
        error: SyncError,
    },
}

/// One page of the walk through a channel.
#[derive(Debug, Clone)]
pub struct PageEffect {
    /// Messages, in any order; only newer revisions win.
    pub messages: Vec<Message>,
    /// Messages expected in this walk, where known.
    pub estimate: Option<u64>,
    /// Whether it is the first page of its walk: what an earlier walk has seen counts no more.
    pub begins: bool,
    /// Messages seen in windows of this walk, changed or not.
    pub sightings: Vec<MessageId>,
    /// Windows that the walk has seen all of: what is stored in them and was not seen is deleted.
    pub walked: Vec<Window>,
    /// Marks of streams.
    pub marks: Vec<Mark>,
    /// Whether it is of the channel on its platform, not of what was imported of it.
    pub live: bool,
    /// How the walk goes on.
    pub next: PageNext,
}

impl PageEffect {
    /// A page with messages and nothing else.
    #[must_use]
    pub const fn new(messages: Vec<Message>, next: PageNext) -> Self {
        Self {
            messages,
            estimate: None,
            begins: false,
            sightings: Vec::new(),
            walked: Vec::new(),
            marks: Vec::new(),
            live: false,
            next,
        }
    }
}

/// How a walk goes on after a page.
#[derive(Debug, Clone)]
pub enum PageNext {
    /// In the same task, from this cursor should the worker vanish.
    SameSlice(String),
    /// In a new task, from this cursor.
    NewSlice(String),
    /// In the same task, from the beginning of the channel on its platform: all that was imported is
    /// walked, and its watermark moves here.
    Live(Option<String>),
    /// Not at all: the watermark of what was walked moves here.
    End(Option<String>),
}

/// Facts of the units that a batch touched.
#[derive(Debug, Clone, Default)]
pub struct ExtractionEffect {
    /// The channel's `change_seq` when the units were read; a unit that was read later stays.
    pub as_of: i64,
    /// Units whose input has changed, with what they now teach.
    pub extracted: Vec<ExtractedUnit>,
    /// Units that still are as they were extracted.
    pub unchanged: Vec<UnitId>,
    /// Units whose messages belong to others now.
    pub retired: Vec<UnitId>,
}

/// A unit and what it teaches.
#[derive(Debug, Clone)]
pub struct ExtractedUnit {
    /// The unit.
    pub unit_id: UnitId,
    /// Its first message.
    pub root: MessageId,
    /// Digest of all that its extraction depends on.
    pub input_hash: String,
    /// What it teaches.
    pub extraction: Extraction,
}

/// What the graph makes of the units that a batch touched.
#[derive(Debug, Clone, Default)]
pub struct GraphEffect {
    /// The units.
    pub units: Vec<GraphedUnit>,
    /// Pages whose inputs change with this.
    pub dirty: Vec<PageKey>,
}

/// A unit as the graph is to know it; replaces all that the graph knew of it.
#[derive(Debug, Clone)]
pub struct GraphedUnit {
    /// The unit.
    pub unit_id: UnitId,
    /// The extraction this was made from; a newer one is not overwritten.
    pub as_of: i64,
    /// Whether the unit is gone.
    pub retired: bool,
    /// Entities that occur in it.
    pub mentions: Vec<MentionRow>,
    /// Its facts.
    pub facts: Vec<GraphFactRow>,
    /// Relationships that its facts support.
    pub supports: Vec<SupportRow>,
}

/// That an entity occurs in a unit.
#[derive(Debug, Clone)]
pub struct MentionRow {
    /// The entity.
    pub entity_id: EntityId,
    /// `platform:workspace`.
    pub scope: String,
    /// Its type.
    pub kind: EntityType,
    /// Its key within scope and type.
    pub key: String,
    /// Its name in this unit.
    pub name: String,
    /// How often it occurs.
    pub count: u32,
    /// First message in which it occurs.
    pub first_seen: Timestamp,
    /// Last message in which it occurs.
    pub last_seen: Timestamp,
}

/// A fact as the graph knows it.
#[derive(Debug, Clone)]
pub struct GraphFactRow {
    /// The fact.
    pub fact_id: FactId,
    /// Its kind.
    pub kind: FactKind,
    /// Whether pages show it.
    pub published: bool,
    /// When it was said.
    pub asserted_at: Timestamp,
    /// Digest of the fact: an equal one is not written again.
    pub digest: String,
    /// Its entities, their parts in it, and whether it gives them up.
    pub entities: Vec<(EntityId, EntityRole, bool)>,
}

/// That a fact supports a relationship.
#[derive(Debug, Clone)]
pub struct SupportRow {
    /// The relationship.
    pub relationship_id: RelationshipId,
    /// Where the arrow starts.
    pub source: EntityId,
    /// What it says.
    pub kind: RelationshipType,
    /// Where it ends.
    pub target: EntityId,
    /// The fact.
    pub fact_id: FactId,
    /// When that was said.
    pub asserted_at: Timestamp,
}

/// Rendered pages.
#[derive(Debug, Clone, Default)]
pub struct WikiEffect {
    /// Pages that were rendered; a version is added only where the text differs.
    pub pages: Vec<RenderedPage>,
    /// Pages that have nothing to show any more.
    pub removed: Vec<PageKey>,
    /// Marks up to this one are done with.
    pub marks: i64,
    /// Whether this is all: the job is completed.
    pub end: bool,
}

/// What a commit brought about.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The job as it is now.
    pub job: Job,
    /// Tasks to be published.
    pub released: Vec<TaskRef>,
    /// Whether the same effect has more to do ([`Effect::Leftovers`]).
    pub more: bool,
}

/// What the sweep brought about.
#[derive(Debug, Clone, Default)]
pub struct Swept {
    /// Tasks to be published again.
    pub due: Vec<TaskRef>,
    /// Tasks whose lease had run out.
    pub expired: u64,
    /// Jobs that ended by it, or whose view changed.
    pub jobs: Vec<Job>,
}

/// What the sweep calls for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Tasks to be published.
    pub tasks: Vec<TaskRef>,
    /// How many of them had been called for before, and in vain; it is the first call for the others, whose
    /// time has come.
    pub repaired: u64,
}

/// Tasks.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Takes a task that is ready and due; `None` when it is not, or its job is over. A queued job
    /// is running from its first claim on.
    async fn claim(
        &self,
        task: &TaskRef,
        worker: &str,
        lease: Duration,
    ) -> Result<Option<(ClaimedTask, Job)>>;
    /// Writes an effect in one transaction; `None` when the claim is lost or the job over: then
    /// nothing was written.
    async fn commit(&self, claim: &Claim, effect: Effect) -> Result<Option<Committed>>;
    /// Gives a task back untouched, as on shutdown.
    async fn give_back(&self, claim: &Claim) -> Result<Option<TaskRef>>;
    /// Prolongs claims; answers with those that are lost.
    async fn heartbeat(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>>;
    /// Tells how many tasks of which stages a process that is at work takes at the same time, for as long
    /// as a lease: a lone job may use them all.
    async fn tell_slots(
        &self,
        worker: &str,
        slots: &[(Stage, usize)],
        lease: Duration,
    ) -> Result<()>;
    /// Takes back every lease at once: for a database that only this process uses, whose leases can
    /// only be those of a process that is gone.
    async fn take_back_all(&self) -> Result<Swept>;
    /// Gives back tasks whose lease has run out, sets poison aside, and fails jobs without any
    /// progress for [`Limits::standstill`](crate::Limits::standstill).
    async fn expire_leases(&self) -> Result<Swept>;
    /// Tasks of a stage that have been ready for over `quiet` without being taken, oldest first,
    /// each with a pause that grows with every call for it; at most as many as the stage has
    /// released tasks beyond `queued`.
    async fn due(&self, stage: Stage, queued: u64, quiet: Duration, limit: u32) -> Result<Due>;
}
