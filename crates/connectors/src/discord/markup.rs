//! What Discord writes in angle brackets.

use chrono::DateTime;

use super::{raw::RawUser, snowflake};
use crate::text::{self, Text, markdown};

/// Longest bracket that is looked for, in bytes.
const MAX_BRACKET: usize = 128;

/// The name that a person shows.
pub(super) fn name(user: &RawUser) -> Option<String> {
    text::shown(&user.global_name).or_else(|| text::shown(&user.username))
}

/// The name of one of these people.
pub(super) fn one_of(people: &[RawUser]) -> impl Fn(&str) -> Option<String> {
    |id| people.iter().find(|known| known.id == id).and_then(name)
}

/// Renders the words of a message; `name_of` knows whom it mentions.
pub(crate) fn render(source: &str, name_of: impl Fn(&str) -> Option<String>) -> Text {
    markdown::render(source, |place, text| {
        let inner = place.rest.strip_prefix('<')?;
        let near = &inner[..inner.floor_char_boundary(MAX_BRACKET)];
        let end = near.find('>')?;
        bracket(&near[..end], &name_of, text)?;
        Some(end + 2)
    })
}

fn bracket(inner: &str, name_of: &impl Fn(&str) -> Option<String>, text: &mut Text) -> Option<()> {
    let id = |id: &'_ str| snowflake::read(id).map(|id| id.to_string());
    if let Some(role) = inner.strip_prefix("@&") {
        id(role)?;
        text.push("@role");
    } else if let Some(user) = inner.strip_prefix("@!").or_else(|| inner.strip_prefix('@')) {
        let user = id(user)?;
        text.push_mention(&user, &name_of(&user).unwrap_or_else(|| user.clone()));
    } else if let Some(channel) = inner.strip_prefix('#') {
        text.push_prefixed('#', &id(channel)?);
    } else if let Some(time) = inner.strip_prefix("t:") {
        let seconds: i64 = time.split(':').next()?.parse().ok()?;
        let time = DateTime::from_timestamp(seconds, 0)?;
        text.push(&time.format("%Y-%m-%d %H:%M UTC").to_string());
    } else if let Some(command) = inner.strip_prefix('/') {
        let (command, number) = command.rsplit_once(':')?;
        id(number)?;
        text.push_prefixed('/', command);
    } else {
        let emoji = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':'))?;
        let (name, number) = emoji.split_once(':')?;
        id(number)?;
        text.push(&format!(":{name}:"));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_read_as_what_they_mean() {
        let ann = RawUser { id: "1".into(), global_name: "Ann Smith".into(), ..RawUser::default() };
        let read = |source: &str| render(source, one_of(std::slice::from_ref(&ann)));
        let text = read("<@1> <@!1> <@2> <@&3> <#4> <:wave:5> <a:go:6> </play now:7> <t:0:R>");
        let expected =
            "@Ann Smith @Ann Smith @2 @role #4 :wave: :go: /play now 1970-01-01 00:00 UTC";
        assert_eq!(text.text, expected);
        let ids: Vec<_> = text.mentions.iter().map(|m| m.user_id.as_str()).collect();
        assert_eq!(ids, ["1", "1", "2"]);
        assert_eq!(read("<https://a.example>").links.len(), 1);
        for plain in ["<@x>", "a < b > c", "<t:99999999999999999999>", "<", "<:a:b>", "`<@1>`"] {
            assert_eq!(read(plain).text, plain);
        }
    }
}
