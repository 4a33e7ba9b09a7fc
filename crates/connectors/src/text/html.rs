//! HTML as chat platforms write it: what a person reads of it, and what its links and mentions meant.
//!
//! Nothing is ever shown as HTML: what is not understood is left out, its words stay.

use super::{MAX_TEXT, Text};

/// Longest HTML that is read, in bytes: markup takes more room than its words.
const MAX_SOURCE: usize = 8 * MAX_TEXT;

/// Longest tag, in bytes.
const MAX_TAG: usize = 8 * 1024;

/// Elements within elements that are looked at.
const MAX_DEPTH: usize = 64;

/// What an element means on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// Nothing of its own.
    Plain,
    /// It addresses a person; its words are the name, unless another is given.
    Mention {
        /// Who it is.
        id: String,
        /// The name to show.
        name: Option<String>,
    },
    /// It is left out with all that is in it.
    Hidden,
}

/// A tag that opens an element.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'t> {
    /// Its name, as written.
    pub name: &'t str,
    attributes: &'t str,
}

impl Tag<'_> {
    /// Whether it has this name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// An attribute's value, entities decoded.
    #[must_use]
    pub fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/');
            let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
            let Some(value) = behind.trim_start().strip_prefix('=') else {
                if name.is_empty() {
                    // A sign that begins no name.
                    let skipped = behind.chars().next()?.len_utf8();
                    rest = &behind[skipped..];
                    continue;
                }
                rest = behind;
                continue;
            };
            let value = value.trim_start();
            let (value, behind) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    value[1..].split_once(quote).unwrap_or((&value[1..], ""))
                }
                _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(decoded(value));
            }
            rest = behind;
        }
    }
}

/// Renders HTML; `meaning` knows the platform's own elements.
pub fn render(source: &str, meaning: impl Fn(Tag<'_>) -> Element) -> Text {
    let source = &source[..source.floor_char_boundary(MAX_SOURCE)];
    let mut page = Page::default();
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        page.words(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let near = &rest[..rest.floor_char_boundary(MAX_TAG)];
        let is_tag =
            near[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match near.find('>').filter(|_| is_tag) {
            Some(end) => {
                page.tag(&near[1..end], &meaning);
                rest = &rest[end + 1..];
            }
            None => {
                page.words("<");
                rest = &rest[1..];
            }
        }
    }
    page.words(rest);
    page.ended()
}

/// An element that is open and means something.
struct Open {
    name: String,
    start: usize,
    what: What,
}

enum What {
    Link(String),
    Mention(String, Option<String>),
    Hidden,
    Verbatim,
}

#[derive(Default)]
struct Page {
    text: Text,
    open: Vec<Open>,
    hidden: usize,
    verbatim: usize,
    /// White space is owed before the next word.
    gap: bool,
}

impl Page {
    fn words(&mut self, raw: &str) {
        if self.hidden > 0 || raw.is_empty() {
            return;
        }
        let words = decoded(raw);
        if self.verbatim > 0 {
            self.text.push(&words);
            return;
        }
        let mut first = true;
        for word in words.split(|c: char| c.is_whitespace()) {
            self.gap |= !first;
            first = false;
            if !word.is_empty() {
                self.pay_gap();
                self.text.push(word);
            }
        }
    }

    fn pay_gap(&mut self) {
        let begins_line = self.text.text.is_empty() || self.text.text.ends_with(['\n', ' ']);
        if std::mem::take(&mut self.gap) && !begins_line {
            self.text.push(" ");
        }
    }

    fn line(&mut self) {
        self.gap = false;
        if !self.text.text.is_empty() && !self.text.text.ends_with("\n\n") {
            self.text.push("\n");
        }
    }

    fn block(&mut self) {
        if !self.text.text.ends_with('\n') {
            self.line();
        }
    }

    fn tag(&mut self, inside: &str, meaning: &impl Fn(Tag<'_>) -> Element) {
        let (closes, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(end);
        let name_is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if closes {
            self.close(name);
        }
        if self.hidden == 0 {
            if name_is(&["br"]) {
                self.line();
            } else if name_is(&["p", "div", "li", "ul", "ol", "tr", "table", "blockquote", "pre"])
                || name_is(&["h1", "h2", "h3", "h4", "h5", "h6", "hr"])
            {
                self.block();
            } else if name_is(&["td", "th"]) {
                self.gap = true;
            }
        }
        if !closes {
            self.enter(Tag { name, attributes }, meaning);
        }
    }

    fn enter(&mut self, tag: Tag<'_>, meaning: &impl Fn(Tag<'_>) -> Element) {
        let what = match meaning(tag) {
            Element::Mention { id, name } => Some(What::Mention(id, name)),
            Element::Hidden => Some(What::Hidden),
            Element::Plain => self.of_html(tag),
        };
        let is_void = tag.attributes.trim_end().ends_with('/');
        if let Some(what) = what.filter(|_| !is_void && self.open.len() < MAX_DEPTH) {
            self.hidden += usize::from(matches!(what, What::Hidden));
            self.verbatim += usize::from(matches!(what, What::Verbatim));
            if self.hidden == 0 {
                self.pay_gap();
            }
            let start = self.text.text.len();
            self.open.push(Open { name: tag.name.to_owned(), start, what });
        }
    }

    fn of_html(&mut self, tag: Tag<'_>) -> Option<What> {
        if tag.is("script") || tag.is("style") || tag.is("title") {
            return Some(What::Hidden);
        }
        if tag.is("pre") {
            return Some(What::Verbatim);
        }
        if tag.is("a") {
            return tag.attribute("href").map(What::Link);
        }
        if tag.is("li") && self.hidden == 0 {
            self.text.push("- ");
        }
        let pictured = tag.is("img") || tag.is("emoji");
        if let (true, Some(alt)) = (pictured && self.hidden == 0, tag.attribute("alt")) {
            self.pay_gap();
            self.text.push(&alt);
        }
        None
    }

    /// Ends the innermost element of this name, and those within that were not ended.
    fn close(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name))
        else {
            return;
        };
        while self.open.len() > at {
            let Some(open) = self.open.pop() else { return };
            self.finish(open);
        }
    }

    fn finish(&mut self, open: Open) {
        match open.what {
            What::Hidden => self.hidden -= 1,
            What::Verbatim => self.verbatim -= 1,
            What::Link(url) => self.text.link_from(open.start, &url),
            What::Mention(id, name) => {
                let inner = self.text.cut_from(open.start);
                let shown = name.unwrap_or_else(|| inner.trim().trim_start_matches('@').to_owned());
                self.text.push_mention(&id, if shown.is_empty() { &id } else { &shown });
            }
        }
    }

    fn ended(mut self) -> Text {
        while let Some(open) = self.open.pop() {
            self.finish(open);
        }
        let end = self.text.text.trim_end().len();
        self.text.cut_from(end);
        self.text
    }
}

/// Entities, decoded once.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let near = &rest[..rest.floor_char_boundary(12)];
        match near.find(';').and_then(|end| Some((end, entity(&near[1..end])?))) {
            Some((end, character)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "euro" => '€',
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
