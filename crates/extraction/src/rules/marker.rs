//! Words with which people mark what they say: `Decision:`, `ACTION:`, `Proposal …:`.

use std::ops::Range;

use super::text::{Sentence, trimmed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Decision,
    Action,
    Proposal,
    Ownership,
    Definition,
    Announcement,
    Resolution,
}

/// A marked statement.
#[derive(Debug, Clone)]
pub(super) struct Marked {
    pub(super) marker: Marker,
    /// What stands in brackets behind the mark: `TODO (me): …`.
    pub(super) addressee: Option<String>,
    /// The statement itself.
    pub(super) content: Range<usize>,
}

/// Longest mark, in bytes: `Proposal for the new pings table:`.
const MAX_HEAD: usize = 60;

/// The mark that a sentence begins with.
pub(super) fn marked(text: &str, sentence: &Sentence) -> Option<Marked> {
    let range = sentence.range.clone();
    let slice = &text[range.clone()];
    let start = range.start + lead(slice);
    let rest = &text[start..range.end];
    let colon = rest.match_indices(':').map(|(at, _)| at).find(|at| {
        rest[at + 1..].is_empty() || rest[at + 1..].starts_with([' ', '*', '_', '\n'])
    })?;
    if colon > MAX_HEAD {
        return None;
    }
    let head = rest[..colon].trim_matches(['*', '_', ' ', '~']).to_lowercase();
    let content = trimmed(text, start + colon + 1..range.end);
    let content = content.start + lead_emphasis(&text[content.clone()])..content.end;
    let (head, addressee) = match head.split_once('(') {
        Some((head, inner)) => {
            (head.trim().to_owned(), Some(inner.trim_end_matches(')').trim().to_owned()))
        }
        None => (head, None),
    };
    let marker = named(&head)?;
    (content.len() >= 8).then_some(Marked { marker, addressee, content })
}

fn named(head: &str) -> Option<Marker> {
    match head {
        "decision" | "decided" | "resolved" | "agreed" | "we decided" | "final decision" => {
            Some(Marker::Decision)
        }
        "action" | "actions" | "action item" | "ai" | "todo" | "to do" | "task" => {
            Some(Marker::Action)
        }
        "ownership" | "owner" | "new owner" => Some(Marker::Ownership),
        "definition" => Some(Marker::Definition),
        "announcement" | "psa" | "release" => Some(Marker::Announcement),
        "root cause" | "cause" | "fix" => Some(Marker::Resolution),
        _ => (head == "proposed" || head.starts_with("proposal")).then_some(Marker::Proposal),
    }
}

/// Emphasis, emoji and calls to everybody before the first word.
fn lead(text: &str) -> usize {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_start_matches(['*', '_', ' ', '~', '"', '(']);
        let called = ["@here", "@channel", "@everyone"]
            .iter()
            .find_map(|call| trimmed.strip_prefix(call))
            .or_else(|| after_emoji(trimmed));
        match called {
            Some(after) => rest = after,
            None => return text.len() - trimmed.len(),
        }
    }
}

fn after_emoji(text: &str) -> Option<&str> {
    let (name, after) = text.strip_prefix(':')?.split_once(':')?;
    let is_name = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'));
    is_name.then_some(after)
}

fn lead_emphasis(text: &str) -> usize {
    text.len() - text.trim_start_matches(['*', '_', ' ']).len()
}

#[cfg(test)]
mod tests {
    use super::{super::text::sentences, *};

    fn read(text: &str) -> Option<(Marker, &str)> {
        let marked = marked(text, &sentences(text)[0])?;
        Some((marked.marker, &text[marked.content]))
    }

    #[test]
    fn marks_are_found_however_they_are_dressed() {
        for text in [
            "Decision: we take Kafka",
            "*Decision:* we take Kafka",
            "*DECISION*: we take Kafka",
            ":mega: @here decided: we take Kafka",
            "RESOLVED: we take Kafka",
        ] {
            assert_eq!(read(text), Some((Marker::Decision, "we take Kafka")), "{text}");
        }
        assert_eq!(
            read("Proposal for the new table: UUIDv7 ids"),
            Some((Marker::Proposal, "UUIDv7 ids"))
        );
    }

    #[test]
    fn an_addressee_may_stand_in_brackets() {
        let text = "TODO (me): add the index";
        let marked = marked(text, &sentences(text)[0]).unwrap();
        assert_eq!((marked.marker, marked.addressee.as_deref()), (Marker::Action, Some("me")));
    }

    #[test]
    fn other_colons_are_no_marks() {
        for text in [
            "note: the decision: is near",
            "at 10:30 we decide",
            "https://x.example: ok",
            "Decision: ok",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
