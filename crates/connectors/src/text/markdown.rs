//! Markdown as chat platforms write it: links become their label, all else stays as it was typed.
//!
//! Code is not looked into. What a platform writes besides (`@name`, `<@1>`) it reads itself.

use super::{MAX_TEXT, Text, leads_out};

/// How far the end of a link is looked for, in bytes.
const MAX_LINK: usize = 2 * 1024;

/// What stands at a place of a text: the character before it, and everything from it on.
#[derive(Debug, Clone, Copy)]
pub struct Place<'t> {
    /// The character before; `None` at the beginning.
    pub before: Option<char>,
    /// The text from here on; never empty.
    pub rest: &'t str,
}

/// Renders Markdown. `own` reads the platform's own markup at a place where it can begin (`@` or `<`):
/// it adds what that means, and tells how many bytes it has read; `None` where there is none.
pub fn render(source: &str, own: impl Fn(Place<'_>, &mut Text) -> Option<usize>) -> Text {
    let source = &source[..source.floor_char_boundary(MAX_TEXT)];
    let mut text = Text::default();
    let mut at = 0;
    let mut plain = 0;
    while let Some(next) = source[at..].bytes().position(may_begin) {
        at += next;
        let rest = &source[at..];
        let place = Place { before: source[..at].chars().next_back(), rest };
        let mut marked = Text::default();
        let read = match rest.as_bytes()[0] {
            // Verbatim: code, and what is escaped.
            b'`' => {
                at += code(rest);
                continue;
            }
            b'\\' => {
                at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            b'[' => label_and_target(rest, &mut marked),
            b'h' | b'H' => bare(place, &mut marked),
            _ => own(place, &mut marked).or_else(|| bracketed(rest, &mut marked)),
        };
        match read.filter(|read| *read > 0 && rest.is_char_boundary(*read)) {
            Some(read) => {
                text.push(&source[plain..at]);
                text.append(marked);
                at += read;
                plain = at;
            }
            None => at += 1,
        }
    }
    text.push(&source[plain..]);
    text
}

/// Whether something may begin here that is not plain text.
fn may_begin(byte: u8) -> bool {
    matches!(byte, b'`' | b'\\' | b'[' | b'h' | b'H' | b'@' | b'<')
}

/// The length of the code that begins here; of its backticks alone, when nothing closes it.
fn code(rest: &str) -> usize {
    let ticks = run(rest);
    let mut at = ticks;
    while let Some(next) = rest[at..].find('`') {
        let closing = run(&rest[at + next..]);
        at += next + closing;
        if closing == ticks {
            return at;
        }
    }
    ticks
}

fn run(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}

/// `[label](https://…)`, with or without a title behind the address.
fn label_and_target(rest: &str, text: &mut Text) -> Option<usize> {
    let near = &rest[..rest.floor_char_boundary(MAX_LINK)];
    let close = near.find("](")?;
    let label = near[1..close].trim();
    if label.is_empty() || label.contains(['\n', '[']) {
        return None;
    }
    let inside = &near[close + 2..];
    let end = closing_bracket(inside)?;
    let target = inside[..end].trim();
    let url = match target.strip_prefix('<') {
        Some(target) => target.split('>').next()?,
        None => target.split_whitespace().next()?,
    };
    if !leads_out(url) {
        return None;
    }
    text.push_link(label, url);
    Some(close + 2 + end + 1)
}

/// Where the bracket closes that was opened before; addresses may have brackets in pairs.
fn closing_bracket(inside: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' if open == 0 => return Some(at),
            b')' => open -= 1,
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

/// `<https://…>`.
fn bracketed(rest: &str, text: &mut Text) -> Option<usize> {
    let near = &rest[..rest.floor_char_boundary(MAX_LINK)];
    let end = near.find('>')?;
    let url = near.get(1..end)?;
    if !leads_out(url) || url.contains(char::is_whitespace) {
        return None;
    }
    text.push_link(url, url);
    Some(end + 1)
}

/// An address in the middle of a sentence, without the punctuation that ends the sentence.
fn bare(place: Place<'_>, text: &mut Text) -> Option<usize> {
    let begins_word = place.before.is_none_or(|before| !before.is_alphanumeric());
    if !begins_word || !leads_out(place.rest) {
        return None;
    }
    let near = &place.rest[..place.rest.floor_char_boundary(MAX_LINK)];
    let end = near.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '`' | '"'));
    let mut url = &near[..end.unwrap_or(near.len())];
    while let Some(last) = url.chars().next_back() {
        let unopened = last == ')' && url.matches(')').count() > url.matches('(').count();
        if !unopened && !matches!(last, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | ']')
        {
            break;
        }
        url = &url[..url.len() - last.len_utf8()];
    }
    if url.ends_with("://") {
        return None;
    }
    text.push_link(url, url);
    Some(url.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::ranges_hold;

    fn read(source: &str) -> Text {
        render(source, |place, text| {
            place.rest.strip_prefix("@ann").map(|_| {
                text.push_mention("U1", "Ann Smith");
                4
            })
        })
    }

    fn urls(text: &Text) -> Vec<&str> {
        text.links.iter().map(|link| link.url.as_str()).collect()
    }

    #[test]
    fn a_link_shows_its_label_and_keeps_its_target() {
        let text =
            read("see [the page](https://a.example/x_(y)) and [t](<https://b.example> \"t\").");
        assert_eq!(text.text, "see the page and t.");
        assert_eq!(urls(&text), ["https://a.example/x_(y)", "https://b.example"]);
    }

    #[test]
    fn an_address_in_a_sentence_ends_before_its_punctuation() {
        let text = read("(see https://a.example/x(y)), <https://b.example>! Or Http://c.example.");
        assert_eq!(
            text.text,
            "(see https://a.example/x(y)), https://b.example! Or Http://c.example."
        );
        assert_eq!(
            urls(&text),
            ["https://a.example/x(y)", "https://b.example", "Http://c.example"]
        );
        assert_eq!(urls(&read("xhttps://a.example https:// h")), Vec::<&str>::new());
    }

    #[test]
    fn people_are_named_and_kept_by_id() {
        let text = read("hi @ann, **@ann**");
        assert_eq!(text.text, "hi @Ann Smith, **@Ann Smith**");
        assert_eq!(text.mentions.len(), 2);
        assert_eq!((text.mentions[1].start, text.mentions[1].end), (17, 27));
    }

    #[test]
    fn code_and_what_is_escaped_is_left_alone() {
        let source = "`@ann` ```\n@ann [a](https://a.example)\n``` \\@ann ``x`@ann``";
        let text = read(source);
        assert_eq!(text, Text { text: source.to_owned(), ..Text::default() });
        assert_eq!(read("a ` @ann").mentions.len(), 1);
    }

    #[test]
    fn only_harmless_schemes_are_links() {
        let source = "[click](javascript:alert(1)) [](https://a.example) <script>";
        assert_eq!(read("[x](javascript:alert(1))").links.len(), 0);
        assert_eq!(urls(&read(source)), ["https://a.example"]);
    }

    #[test]
    fn hostile_markup_ends() {
        for piece in ["[", "`", "[a](", "https://", "<", "@", "(", "`a``", "http://)"] {
            assert!(read(&piece.repeat(200_000)).text.len() <= MAX_TEXT);
        }
    }

    proptest! {
        #[test]
        fn every_range_is_the_text_it_stands_for(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("@ann".to_owned()), Just("[é](https://x.example)".to_owned()), Just("`".to_owned()),
                    Just("https://y.example/é".to_owned()), Just("[".to_owned()), Just("](".to_owned()),
                    Just(")".to_owned()), Just("<".to_owned()), Just(">".to_owned()), Just("\\".to_owned()),
                    "\\PC{0,6}",
                ],
                0..20,
            )
        ) {
            ranges_hold(&read(&pieces.concat()))?;
        }

        #[test]
        fn plain_text_is_not_changed(source in "[^@<\\[`\\p{Cc}:]{0,80}") {
            prop_assert_eq!(read(&source).text, source);
        }
    }
}
