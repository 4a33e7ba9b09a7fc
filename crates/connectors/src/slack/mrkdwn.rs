//! Slack's markup: what stands in angle brackets, and the three entities.
//!
//! Everything else (`*bold*`, quotes, code) is left as it is written: it reads like Markdown. Brackets
//! are resolved within code as well: what was typed there arrives escaped, so a bare bracket is one
//! that Slack itself put around a person or an address.

use crate::text::{Text, leads_out};

/// Renders markup; `name_of` knows people by id.
pub fn render<'n>(source: &str, name_of: impl Fn(&str) -> Option<&'n str>) -> Text {
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
                rendered.0.push("<");
                rest = inner;
            }
        }
    }
    rendered.push_escaped(rest);
    rendered.0
}

/// A text that grows by Slack's markup.
#[derive(Default)]
struct Rendered(Text);

impl Rendered {
    fn push_bracket<'n>(&mut self, inner: &str, name_of: &impl Fn(&str) -> Option<&'n str>) {
        let (target, label) = match inner.split_once('|') {
            Some((target, label)) => (target, Some(label).filter(|label| !label.is_empty())),
            None => (inner, None),
        };
        match target.as_bytes().first() {
            Some(b'@') => self.push_person(&target[1..], label, name_of),
            Some(b'#') => self.0.push_prefixed('#', &decoded(label.unwrap_or(&target[1..]))),
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
        self.0.push_mention(id, &name);
    }

    /// `<!here>`, `<!subteam^S1|@team>`, `<!date^1392734382^{date}|18 February>`.
    fn push_command(&mut self, command: &str, label: Option<&str>) {
        let name = command.split('^').next().unwrap_or_default();
        match (name, label) {
            ("date", Some(label)) => self.push_escaped(label),
            (_, Some(label)) => self.0.push_prefixed('@', &decoded(label.trim_start_matches('@'))),
            ("subteam", None) => self.0.push("@team"),
            (_, None) => self.0.push_prefixed('@', name),
        }
    }

    fn push_link(&mut self, target: &str, label: Option<&str>) {
        let url = decoded(target);
        if !leads_out(&url) && label.is_none() {
            // Something in brackets that is no markup of Slack's.
            self.0.push("<");
            self.push_escaped(target);
            self.0.push(">");
            return;
        }
        let label = decoded(label.unwrap_or(target));
        self.0.push_link(&label, &url);
    }

    fn push_escaped(&mut self, text: &str) {
        if text.contains('&') { self.0.push(&decoded(text)) } else { self.0.push(text) }
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
    use crate::text::{MAX_MARKS, MAX_TARGET, MAX_TEXT, ranges_hold};

    fn read(source: &str) -> Text {
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
            ranges_hold(&read(&source))?;
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
