//! A message's text as a person reads it, with what its markup meant kept by place.

pub mod html;
pub mod markdown;

use domain::{
    UserId,
    message::{Link, Mention},
};

/// Longest text of a message that is kept, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// Longest address of a link and longest id of a person that are kept, in bytes.
pub const MAX_TARGET: usize = 4 * 1024;

/// Mentions and links that are kept of one message, each.
pub const MAX_MARKS: usize = 1_000;

/// Longest name that is shown, in characters.
const MAX_NAME: usize = 80;

/// Longest id that is kept, in bytes.
const MAX_ID: usize = 128;

/// A text as a person reads it, and what its markup meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The text; at most [`MAX_TEXT`] bytes.
    pub text: String,
    /// Who is addressed, by place in the text.
    pub mentions: Vec<Mention>,
    /// Where links lead, by place in the text.
    pub links: Vec<Link>,
}

impl Text {
    /// Adds text; control characters vanish, lines stay, what is too long is cut on a character.
    pub fn push(&mut self, text: &str) {
        let hidden = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
        for visible in text.split(hidden) {
            let fitting = visible.floor_char_boundary(MAX_TEXT - self.text.len());
            self.text.push_str(&visible[..fitting]);
            if fitting < visible.len() {
                return;
            }
        }
    }

    /// Adds a name behind its sign: `#general`.
    pub fn push_prefixed(&mut self, prefix: char, name: &str) {
        self.push(prefix.encode_utf8(&mut [0; 4]));
        self.push(name);
    }

    /// Adds `@name`, and keeps who that is.
    pub fn push_mention(&mut self, id: &str, name: &str) {
        let start = self.text.len();
        self.push_prefixed('@', name);
        let kept = (1..=MAX_TARGET).contains(&id.len()) && self.mentions.len() < MAX_MARKS;
        if let (true, Some((start, end))) = (kept, self.range_from(start)) {
            let name = self.text[start as usize + 1..].to_owned();
            self.mentions.push(Mention { start, end, user_id: UserId::from(id), name });
        }
    }

    /// Adds a label, and keeps where it leads.
    pub fn push_link(&mut self, label: &str, url: &str) {
        let start = self.text.len();
        self.push(label);
        self.link_from(start, url);
    }

    /// Makes what was added since `start` a link, if its address is one that leads out and harms nobody.
    pub fn link_from(&mut self, start: usize, url: &str) {
        let kept = leads_out(url) && url.len() <= MAX_TARGET && self.links.len() < MAX_MARKS;
        if let (true, Some((start, end))) = (kept, self.range_from(start)) {
            self.links.push(Link { start, end, url: url.to_owned() });
        }
    }

    /// Takes back what was added since `start`, with what it meant.
    pub fn cut_from(&mut self, start: usize) -> String {
        let cut = self.text.split_off(start.min(self.text.len()));
        self.mentions.retain(|mention| mention.end as usize <= start);
        self.links.retain(|link| link.end as usize <= start);
        cut
    }

    /// Adds another text with what it means.
    pub fn append(&mut self, other: Self) {
        let offset = self.text.len();
        self.push(&other.text);
        let Ok(moved_by) = u32::try_from(offset) else { return };
        let fits = |end: u32| ((moved_by + end) as usize) < MAX_TEXT;
        for mut mention in other.mentions {
            if fits(mention.end) && self.mentions.len() < MAX_MARKS {
                mention.start += moved_by;
                mention.end += moved_by;
                self.mentions.push(mention);
            }
        }
        for mut link in other.links {
            if fits(link.end) && self.links.len() < MAX_MARKS {
                link.start += moved_by;
                link.end += moved_by;
                self.links.push(link);
            }
        }
    }

    /// What was added since, unless the text is full.
    fn range_from(&self, start: usize) -> Option<(u32, u32)> {
        let range = (u32::try_from(start).ok()?, u32::try_from(self.text.len()).ok()?);
        (range.0 < range.1 && self.text.len() < MAX_TEXT).then_some(range)
    }
}

/// What holds of every text, whatever it was made of: each range is the words that it stands for.
#[cfg(test)]
pub(crate) fn ranges_hold(text: &Text) -> Result<(), proptest::test_runner::TestCaseError> {
    for mention in &text.mentions {
        let shown = &text.text[mention.start as usize..mention.end as usize];
        proptest::prop_assert_eq!(shown, format!("@{}", mention.name));
    }
    for link in &text.links {
        proptest::prop_assert!(text.text.get(link.start as usize..link.end as usize).is_some());
    }
    Ok(())
}

/// Whether an address is one that a link may have.
#[must_use]
pub fn leads_out(url: &str) -> bool {
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

/// An id as it may be kept: not empty, in one word, not longer than any platform's.
#[must_use]
pub fn id(text: &str) -> Option<String> {
    let plain = |character: char| !character.is_control() && !character.is_whitespace();
    let fits = (1..=MAX_ID).contains(&text.len());
    let is_plain = || text.bytes().all(|byte| byte.is_ascii_graphic()) || text.chars().all(plain);
    (fits && is_plain()).then(|| text.to_owned())
}

/// A name as it may be shown: one line, no control characters, not too long.
#[must_use]
pub fn shown(name: &str) -> Option<String> {
    line(name, MAX_NAME)
}

/// Text on one line, without control characters and of so many characters at most; `None` when it has none.
#[must_use]
pub fn line(text: &str, longest: usize) -> Option<String> {
    let characters = text.split_whitespace().enumerate().flat_map(|(number, word)| {
        let gap = if number > 0 { " " } else { "" };
        gap.chars().chain(word.chars())
    });
    let mut clean = String::with_capacity(text.len().min(longest));
    clean.extend(characters.filter(|character| !character.is_control()).take(longest));
    (!clean.is_empty()).then_some(clean)
}
