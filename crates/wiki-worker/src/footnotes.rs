//! Footnotes: the words that statements rest on.

use domain::{ChannelId, page::Citation};
use store::{Source, StoredFact};

use crate::markdown::{address, escaped, one_line, path_part, shortened};

/// Longest quote that is shown, in bytes.
const LONGEST_QUOTE: usize = 280;

/// Footnotes of one fact.
const PER_FACT: usize = 3;

/// The footnotes of a page, numbered in the order in which they are called for.
pub(crate) struct Footnotes<'c> {
    channel: &'c ChannelId,
    citations: Vec<Citation>,
}

impl<'c> Footnotes<'c> {
    pub(crate) fn new(channel: &'c ChannelId) -> Self {
        Self { channel, citations: Vec::new() }
    }

    /// The marks behind a statement: `[^1][^2]`.
    pub(crate) fn cite(&mut self, fact: &StoredFact) -> String {
        let sources = fact.sources.iter().take(PER_FACT);
        sources.map(|source| format!("[^{}]", self.number(fact, source))).collect()
    }

    fn number(&mut self, fact: &StoredFact, source: &Source) -> u32 {
        let same = |citation: &&Citation| {
            citation.fact_id == fact.fact.id && citation.message_id == source.message_id
        };
        // Those of one fact stand together: what is looked for is among the last.
        if let Some(known) = self.citations.iter().rev().take(PER_FACT).find(same) {
            return known.n;
        }
        let n = u32::try_from(self.citations.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.citations.push(Citation {
            n,
            fact_id: fact.fact.id.clone(),
            message_id: source.message_id.clone(),
            author: one_line(&source.author.name),
            timestamp: source.timestamp,
            permalink: self.link(source),
            quote: shortened(&one_line(&source.quote), LONGEST_QUOTE),
        });
        n
    }

    /// Where the platform shows the message, else where we do.
    fn link(&self, source: &Source) -> String {
        let own = || {
            let (channel, message) = (self.channel.as_str(), source.message_id.as_str());
            format!("/api/channels/{}/messages/{}", path_part(channel), path_part(message))
        };
        source.permalink.as_deref().and_then(address).unwrap_or_else(own)
    }

    /// The notes themselves, and what they cite.
    pub(crate) fn finish(self) -> (String, Vec<Citation>) {
        let mut notes = String::new();
        for citation in &self.citations {
            let time = citation.timestamp.to_utc().format("%Y-%m-%d %H:%M UTC");
            notes.push_str(&format!(
                "[^{}]: {}, {time}: “{}” ([message]({}))\n",
                citation.n,
                escaped(&citation.author),
                escaped(&citation.quote),
                citation.permalink,
            ));
        }
        (notes, self.citations)
    }
}
