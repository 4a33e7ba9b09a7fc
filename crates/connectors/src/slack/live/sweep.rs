//! One slice of older history a walk, in turn, until all has been compared; then from the newest again.

use serde::{Deserialize, Serialize};

use super::{
    api::{Workspace, kept},
    dialect::Refusal,
    history::Asked,
    pages::seen_all,
    threads,
    walk::{DAY, HOUR, Step, Walk, moved},
};
use crate::{ConnectorError, Known, Mark, Page, Stream, mark};

const STREAM: &str = "sweep";

/// No message is older than Slack: 1 January 2013.
const OLDEST: i64 = 1_356_998_400 * 1_000_000;

const LONGEST: i64 = 730 * DAY;

/// A slice with fewer messages is followed by a longer one.
const FEW: usize = 60;

/// Where the next slice ends, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Slice {
    to: i64,
    span: i64,
}

/// The next sweep begins behind the window.
pub(super) fn begin_again() -> Mark {
    moved(STREAM, None)
}

impl Workspace {
    pub(super) async fn sweep(
        &self,
        channel: &str,
        mut walk: Walk,
        cursor: Option<String>,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let marks = known.marks(&[STREAM.to_owned()]).await?;
        let mark = marks.into_iter().flatten().next();
        let mark = mark.and_then(|mark| serde_json::from_str::<Slice>(&mark).ok());
        let slice = mark.unwrap_or(Slice { to: walk.from - 1, span: 7 * DAY });
        let to = slice.to.min(walk.from - 1);
        let span = slice.span.clamp(HOUR, LONGEST);
        let from = (to - span).max(OLDEST);
        if to <= OLDEST {
            let next = walk.then(Step::Threads { after: None, failures: 0 })?;
            return Ok(Page { marks: vec![begin_again()], ..Page::new(Vec::new(), next) });
        }
        let asked = Asked { from, to, cursor: cursor.as_deref() };
        let mut listing = match self.history(channel, &walk, asked).await? {
            Ok(reply) => {
                let page = self.page(&reply)?;
                self.listing(channel, &walk.home, page, (from, to)).await?
            }
            Err(Refusal::StaleCursor) => {
                let again = walk.again(Step::Sweep { cursor: None })?;
                return Ok(Page::new(Vec::new(), again));
            }
            Err(refusal) => return Err(refusal.error()),
        };
        let next = kept(listing.next.clone(), cursor.as_deref())?;
        walk.slow = self.pace.is_slow();
        let mut page = seen_all(&mut listing);
        page.marks = threads::changed(&walk, &listing, known).await?;
        let then = match next {
            Some(next) if span <= HOUR => Step::Sweep { cursor: Some(next) },
            _ => Step::Threads { after: None, failures: 0 },
        };
        page.next = walk.then(then)?;
        let moved_to = match &listing.next {
            // As short as it gets: read to its end by this walk.
            Some(_) if span <= HOUR => None,
            // Too much for one page: a shorter one next time.
            Some(_) => Some(Slice { to, span: span / 4 }),
            None => {
                if !listing.is_limited {
                    page.walked.extend(walk.window(Stream::TopLevel, from, to));
                }
                if cursor.is_none() && !listing.is_limited {
                    let gone = threads::gone(&[(from, to)], &listing, known).await?;
                    page.marks.extend(gone);
                }
                let longer = cursor.is_none() && page.sightings.len() < FEW;
                let span = if longer { (span * 2).min(LONGEST) } else { span };
                Some(Slice { to: from - 1, span })
            }
        };
        if let Some(slice) = moved_to {
            page.marks.push(match slice.to <= OLDEST {
                true => begin_again(),
                false => moved(STREAM, Some(mark::written(&slice)?)),
            });
        }
        Ok(Page { messages: listing.messages, ..page })
    }
}
