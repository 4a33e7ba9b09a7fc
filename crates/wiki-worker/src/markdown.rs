//! Chat text in Markdown: what it says, never what it could do.

/// A text of one line that reads as itself.
pub(crate) fn escaped(text: &str) -> String {
    let line = one_line(text);
    let pieces: Vec<&str> = line.split('`').collect();
    // Balanced code spans stay code; nothing inside them can do anything.
    let has_code = pieces.len() % 2 == 1
        && pieces.iter().skip(1).step_by(2).all(|code| !code.trim().is_empty());
    let mut escaped = String::with_capacity(line.len() + 8);
    for (n, piece) in pieces.iter().enumerate() {
        if n > 0 {
            escaped.push_str(if has_code { "`" } else { "\\`" });
        }
        if has_code && n % 2 == 1 {
            escaped.push_str(piece);
        } else {
            piece.chars().for_each(|character| push_escaped(&mut escaped, character));
        }
    }
    guarded(escaped)
}

fn push_escaped(escaped: &mut String, character: char) {
    match character {
        '&' => escaped.push_str("&amp;"),
        '<' => escaped.push_str("&lt;"),
        '>' => escaped.push_str("&gt;"),
        '\\' | '*' | '_' | '[' | ']' | '|' | '~' => {
            escaped.push('\\');
            escaped.push(character);
        }
        _ => escaped.push(character),
    }
}

/// A first character that would begin a heading, a list or a rule does not.
fn guarded(text: String) -> String {
    let begins_block = text.starts_with(['#', '-', '+', '=']);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let begins_list = digits > 0 && text[digits..].starts_with(['.', ')']);
    match (begins_block, begins_list) {
        (true, _) => format!("\\{text}"),
        (_, true) => format!("{}\\{}", &text[..digits], &text[digits..]),
        _ => text,
    }
}

/// Without line breaks, control characters and those that turn the direction of reading.
pub(crate) fn one_line(text: &str) -> String {
    let visible = |character: &char| {
        !character.is_control()
            && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let words: Vec<String> =
        text.split_whitespace().map(|word| word.chars().filter(visible).collect()).collect();
    words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// At most so many bytes, cut at a word.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let cut = text.floor_char_boundary(longest);
    let word = text[..cut].rfind(' ').filter(|at| *at > longest / 2).unwrap_or(cut);
    format!("{} …", text[..word].trim_end())
}

/// An address for a link, or nothing when it leads nowhere good.
pub(crate) fn address(link: &str) -> Option<String> {
    let good = link.starts_with("https://") || link.starts_with("http://") || link.starts_with('/');
    let clean = !link.contains(|c: char| c.is_whitespace() || c.is_control());
    (good && clean).then(|| link.replace('(', "%28").replace(')', "%29").replace('<', "%3C"))
}

/// One part of a path, as a URL writes it.
pub(crate) fn path_part(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_of_chat_text_is_shown_not_obeyed() {
        assert_eq!(escaped("<b>*x*</b> | [a](b)"), "&lt;b&gt;\\*x\\*&lt;/b&gt; \\| \\[a\\](b)");
        assert_eq!(escaped("# not a\nheading"), "\\# not a heading");
        assert_eq!(escaped("1. not a list"), "1\\. not a list");
        assert_eq!(escaped("\u{202e}evil\u{7}"), "evil");
    }

    #[test]
    fn code_stays_code_while_it_is_balanced() {
        assert_eq!(escaped("use `a<b>_c` now"), "use `a<b>_c` now");
        assert_eq!(escaped("a ` b <"), "a \\` b &lt;");
        assert_eq!(escaped("a `` b"), "a \\`\\` b");
    }

    #[test]
    fn a_link_leads_to_a_page_or_nowhere() {
        assert_eq!(address("https://x.example/a(b)"), Some("https://x.example/a%28b%29".into()));
        assert_eq!(address("javascript:alert(1)"), None);
        assert_eq!(address("https://x.example/ y"), None);
    }

    proptest! {
        #[test]
        fn outside_code_nothing_opens_a_tag_or_a_link(text in "\\PC{0,60}") {
            let escaped = escaped(&text);
            let outside: String = escaped.split('`').step_by(2).collect();
            prop_assert!(!outside.contains('<'));
            prop_assert!(!outside.replace("\\[", "").contains('['));
            prop_assert!(!escaped.contains('\n'));
        }
    }
}
