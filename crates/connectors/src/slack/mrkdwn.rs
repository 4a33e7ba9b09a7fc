//! Slack's markup: what stands in angle brackets, and the three entities.
//!
//! Everything else (`*bold*`, quotes, code) is left as it is written: it reads like Markdown. Brackets
//! are resolved within code as well: what was typed there arrives escaped, so a bare bracket is one
//! that Slack itself put around a person or an address.

use domain::{
    UserId,
    message::{Link, Mention},
};

/// Longest text of a message that is kept, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// Longest address of a link and longest id of a person that are kept, in bytes.
const MAX_TARGET: usize = 4 * 1024;

/// Mentions and links that are kept of one message, each.
const MAX_MARKS: usize = 1_000;

/// A text as a person reads it, and what its markup meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text; at most [`MAX_TEXT`] bytes.
    pub text: String,
    /// Who is addressed, by place in the text.
    pub mentions: Vec<Mention>,
    /// Where links lead, by place in the text.
    pub links: Vec<Link>,
}

/// Renders markup; `name_of` knows people by id.
pub fn render<'n>(source: &str, name_of: impl Fn(&str) -> Option<&'n str>) -> Rendered {
    let mut rendered = Rendered::default();
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        rendered.push_escaped(&rest[..at]);
        let inner = &rest[at + 1..];
        match inner.find(['<', '>']) {
            Some(end) if inner.as_bytes()[end] == b'>' => {
                rendered.push_bracket(&inner[..end], &name_of);
                rest = &inner[end + 1..];
            }
            // Not markup: Slack writes a bracket that was typed as an entity.
            _ => {
                rendered.push("<");
                rest = inner;
            }
        }
    }
    rendered.push_escaped(rest);
    rendered
}

impl Rendered {
    fn push_bracket<'n>(&mut self, inner: &str, name_of: &impl Fn(&str) -> Option<&'n str>) {
        let (target, label) = match inner.split_once('|') {
            Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
            None => (inner, None),
        };
        match target.as_bytes().first() {
            Some(b'@') => self.push_person(&target[1..], label, name_of),
            Some(b'#') => self.push_prefixed('#', &decoded(label.unwrap_or(&target[1..]))),
            Some(b'!') => self.push_command(&target[1..], label),
            _ => self.push_link(target, label),
        }
    }

    fn push_person<'n>(
        &mut self,
        id: &str,
        label: Option<&str>,
        name_of: &impl Fn(&str) -> Option<&'n str>,
    ) {
        // A name of ours is plain text, a label is markup.
        let name = name_of(id).map_or_else(|| decoded(label.unwrap_or(id)), str::to_owned);
        let start = self.text.len();
        self.push_prefixed('@', &name);
        let kept = (1..=MAX_TARGET).contains(&id.len()) && self.mentions.len() < MAX_MARKS;
        if let (true, Some((start, end))) = (kept, self.range_from(start)) {
            let name = self.text[start as usize + 1..].to_owned();
            self.mentions.push(Mention { start, end, user_id: UserId::from(id), name });
        }
    }

    /// `<!here>`, `<!subteam^S1|@team>`, `<!date^1392734382^{date}|18 February>`.
    fn push_command(&mut self, command: &str, label: Option<&str>) {
        let name = command.split('^').next().unwrap_or_default();
        match (name, label) {
            ("date", Some(label)) => self.push_escaped(label),
            (_, Some(label)) => self.push_prefixed('@', &decoded(label.trim_start_matches('@'))),
            ("subteam", None) => self.push("@team"),
            (_, None) => self.push_prefixed('@', name),
        }
    }

    fn push_link(&mut self, target: &str, label: Option<&str>) {
        let url = decoded(target);
        let leads_out = ["http://", "https://", "mailto:"]
            .iter()
            .any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)));
        if !leads_out && label.is_none() {
            // Something in brackets that is no markup of Slack's.
            self.push("<");
            self.push_escaped(target);
            self.push(">");
            return;
        }
        let start = self.text.len();
        self.push_escaped(label.unwrap_or(target));
        let kept = leads_out && url.len() <= MAX_TARGET && self.links.len() < MAX_MARKS;
        if let (true, Some((start, end))) = (kept, self.range_from(start)) {
            self.links.push(Link { start, end, url });
        }
    }

    /// What was written since, unless the text is full.
    fn range_from(&self, start: usize) -> Option<(u32, u32)> {
        let range = (u32::try_from(start).ok()?, u32::try_from(self.text.len()).ok()?);
        (range.0 < range.1 && self.text.len() < MAX_TEXT).then_some(range)
    }

    fn push_prefixed(&mut self, prefix: char, name: &str) {
        self.push(prefix.encode_utf8(&mut [0; 4]));
        self.push(name);
    }

    fn push_escaped(&mut self, text: &str) {
        if text.contains('&') { self.push(&decoded(text)) } else { self.push(text) }
    }

    fn push(&mut self, text: &str) {
        let visible = |character: char| !character.is_control() || matches!(character, '\n' | '\t');
        for character in text.chars().filter(|character| visible(*character)) {
            if self.text.len() + character.len_utf8() > MAX_TEXT {
                return;
            }
            self.text.push(character);
        }
    }
}

/// The three entities that Slack writes. `&amp;` comes last, so that `&amp;lt;` stays `&lt;`.
fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(source: &str) -> Rendered {
        render(source, |id| (id == "U1").then_some("Ann"))
    }

    #[test]
    fn people_are_named_and_kept_by_id() {
        let rendered = read("hi <@U1>, <@U2|bob> and <@U3>");
        assert_eq!(rendered.text, "hi @Ann, @bob and @U3");
        let ids: Vec<_> = rendered.mentions.iter().map(|m| m.user_id.as_str()).collect();
        assert_eq!(ids, ["U1", "U2", "U3"]);
    }

    #[test]
    fn channels_groups_and_dates_read_as_text() {
        assert_eq!(read("<#C1|general> <#C2>").text, "#general #C2");
        assert_eq!(read("<!here> <!subteam^S1|@ops> <!subteam^S2>").text, "@here @ops @team");
        assert_eq!(read("on <!date^1392734382^{date}|18 Feb>").text, "on 18 Feb");
    }

    #[test]
    fn a_link_shows_its_label_and_keeps_its_target() {
        let rendered = read("see <https://a.example/?x=1&amp;y=2|the page> or <https://b.example>");
        assert_eq!(rendered.text, "see the page or https://b.example");
        let urls: Vec<_> = rendered.links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls, ["https://a.example/?x=1&y=2", "https://b.example"]);
    }

    #[test]
    fn only_harmless_schemes_are_links() {
        let rendered = read("<javascript:alert(1)|click>");
        assert_eq!((rendered.text.as_str(), rendered.links.len()), ("click", 0));
    }

    #[test]
    fn entities_are_decoded_once() {
        assert_eq!(read("a &lt;b&gt; &amp;lt; c &amp; d").text, "a <b> &lt; c & d");
    }

    #[test]
    fn what_is_no_markup_stays_as_it_is() {
        assert_eq!(read("a < b and <T> and <unfinished").text, "a < b and <T> and <unfinished");
        assert_eq!(read("`code` *bold* > quote").text, "`code` *bold* > quote");
    }

    #[test]
    fn control_characters_vanish_and_lines_stay() {
        assert_eq!(read("a\r\nb\u{0}\tc\u{1b}[0m").text, "a\nb\tc[0m");
    }

    #[test]
    fn what_is_kept_of_hostile_markup_is_bounded() {
        let rendered = read(&"<@U1><https://x.example|x>".repeat(MAX_MARKS + 5));
        assert_eq!((rendered.mentions.len(), rendered.links.len()), (MAX_MARKS, MAX_MARKS));
        let long = read(&format!("<https://x.example/{}|x>", "a".repeat(MAX_TARGET)));
        assert_eq!((long.text.as_str(), long.links.len()), ("x", 0));
    }

    #[test]
    fn an_address_within_code_is_bare_and_typed_markup_stays() {
        assert_eq!(read("`<https://a.example>` `&lt;@U1&gt;`").text, "`https://a.example` `<@U1>`");
    }

    #[test]
    fn a_text_is_bounded_on_a_character() {
        let rendered = read(&"é<@U1>".repeat(MAX_TEXT));
        assert!(rendered.text.len() <= MAX_TEXT && rendered.text.len() > MAX_TEXT - 8);
    }

    fn markup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("<@U1>".to_owned()),
            Just("<@U9|é>".to_owned()),
            Just("<https://x.example|l&amp;l>".to_owned()),
            Just("<!date^1^{date}|then>".to_owned()),
            Just("<".to_owned()),
            Just(">".to_owned()),
            Just("|".to_owned()),
            Just("&lt;".to_owned()),
            "\\PC{0,6}",
        ];
        proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_range_is_the_text_it_stands_for(source in markup()) {
            let rendered = read(&source);
            for mention in &rendered.mentions {
                let shown = &rendered.text[mention.start as usize..mention.end as usize];
                prop_assert_eq!(shown, format!("@{}", mention.name));
            }
            for link in &rendered.links {
                prop_assert!(rendered.text.get(link.start as usize..link.end as usize).is_some());
            }
        }

        #[test]
        fn plain_text_is_not_changed(source in "[^<&\\p{Cc}]{0,80}") {
            prop_assert_eq!(read(&source).text, source);
        }

        #[test]
        fn nothing_grows_beyond_its_names(source in markup()) {
            prop_assert!(read(&source).text.len() <= source.len() + 8);
        }
    }
}
