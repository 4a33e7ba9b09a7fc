//! A message's content as a person reads it.

use domain::message::Attachment;

use super::{
    content::{Content, Value},
    id,
    people::People,
};
use crate::text::{
    self, Text,
    html::{self, Element},
    markdown::{self, Place},
};

/// Answers of a poll that are kept.
const MAX_ANSWERS: usize = 50;

/// What an encrypted message is shown as.
pub(super) const UNREADABLE: &str = "Encrypted message: it cannot be read.";

fn string<'c>(content: &'c Content, name: &str) -> Option<&'c str> {
    content.get(name)?.as_str().filter(|text| !text.trim().is_empty())
}

/// The words of a message; of a file only its caption, of a poll the question with its answers.
pub(super) fn words(content: &Content, people: &People) -> Text {
    if let Some(poll) =
        content.get("m.poll").or_else(|| content.get("org.matrix.msc3381.poll.start"))
    {
        return poll_words(poll);
    }
    if is_file(content) && caption(content).is_none() {
        return Text::default();
    }
    let is_html = string(content, "format") == Some("org.matrix.custom.html");
    let formatted = string(content, "formatted_body").filter(|_| is_html);
    let mut text = match formatted {
        Some(formatted) => html::render(formatted, |tag| meaning(tag, people)),
        None => {
            let body = string(content, "body").unwrap_or_default();
            let body = if is_reply(content) { without_quote(body) } else { body };
            let addressed = addressed(content);
            markdown::render(body, |place, text| mention(place, text, &addressed, people))
        }
    };
    let end = text.text.trim_end().len();
    text.cut_from(end);
    text
}

/// Old clients put what is replied to in front of the reply.
fn is_reply(content: &Content) -> bool {
    let relation = content.get("m.relates_to").and_then(Value::as_object);
    relation.is_some_and(|relation| relation.get("m.in_reply_to").is_some())
}

fn without_quote(body: &str) -> &str {
    if !body.starts_with("> <@") && !body.starts_with("> * <@") {
        return body;
    }
    let mut rest = body;
    while rest.starts_with('>') {
        rest = rest.split_once('\n').map_or("", |(_, behind)| behind);
    }
    rest.trim_start_matches('\n')
}

/// In HTML a person is a link to that person.
fn meaning(tag: html::Tag<'_>, people: &People) -> Element {
    if tag.is("mx-reply") {
        return Element::Hidden;
    }
    let href = if tag.is("a") { tag.attribute("href") } else { None };
    match href.as_deref().and_then(person) {
        Some(id) => Element::Mention { name: people.name(&id).map(str::to_owned), id },
        None => Element::Plain,
    }
}

/// Who a link leads to: `https://matrix.to/#/@ann:here.org` or `matrix:u/ann:here.org`.
fn person(href: &str) -> Option<String> {
    let to = |prefix: &str| {
        let begin = href.get(..prefix.len())?;
        begin.eq_ignore_ascii_case(prefix).then(|| &href[prefix.len()..])
    };
    let by_site = to("https://matrix.to/#/").or_else(|| to("http://matrix.to/#/"));
    let (sign, target) = match by_site {
        Some(target) => ("", target),
        None => ("@", to("matrix:u/").or_else(|| to("matrix:user/"))?),
    };
    let target = target.split(['?', '/']).next()?;
    let id = format!("{sign}{}", decoded(target));
    id::user(&id).is_some().then_some(id)
}

/// Percent signs undone.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| {
            let byte = *bytes.get(at + offset)?;
            char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
        };
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whom the sender's client says it addresses.
fn addressed(content: &Content) -> Vec<&str> {
    let listed =
        content.get("m.mentions").and_then(|m| m.get("user_ids")).and_then(Value::as_array);
    let ids = listed.into_iter().flatten().filter_map(Value::as_str).filter_map(id::user);
    ids.take(text::MAX_MARKS).collect()
}

/// In plain text a person is an id, or the name of somebody who is addressed, behind an `@`.
fn mention(
    place: Place<'_>,
    text: &mut Text,
    addressed: &[&str],
    people: &People,
) -> Option<usize> {
    if !place.rest.starts_with('@') || place.before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let of_id = |c: char| c.is_ascii_alphanumeric() || "@.:_=/+-[]".contains(c);
    let end = place.rest.find(|c: char| !of_id(c)).unwrap_or(place.rest.len()).min(255);
    let mut id = &place.rest[..end];
    // A sentence may end behind an id.
    while id.contains(':') {
        if addressed.contains(&id) || people.name(id).is_some() {
            text.push_mention(id, &people.shown(id));
            return Some(id.len());
        }
        id = id.strip_suffix(['.', ':', '/', '-', '_', ']', '=', '+'])?;
    }
    let behind = &place.rest[1..];
    let named = addressed.iter().filter_map(|id| Some((*id, people.name(id)?)));
    let (id, name) =
        named.filter(|(_, name)| behind.starts_with(name)).max_by_key(|n| n.1.len())?;
    text.push_mention(id, name);
    Some(1 + name.len())
}

fn poll_words(poll: &Value) -> Text {
    let words = |of: &Value| {
        let names = ["m.text", "org.matrix.msc1767.text", "body"];
        let told = names.iter().find_map(|name| of.get(name)?.as_str());
        // The newer way: a list of representations.
        let listed =
            || of.get("m.text")?.as_array()?.iter().find_map(|part| part.get("body")?.as_str());
        told.or_else(listed).map(str::to_owned)
    };
    let mut text = Text::default();
    text.push(&poll.get("question").and_then(words).unwrap_or_default());
    let answers = poll.get("answers").and_then(Value::as_array).into_iter().flatten();
    for answer in answers.take(MAX_ANSWERS).filter_map(words) {
        text.push("\n- ");
        text.push(&answer);
    }
    text
}

fn is_file(content: &Content) -> bool {
    let is_of = |kind| matches!(kind, "m.image" | "m.file" | "m.audio" | "m.video");
    // A sticker says no type.
    string(content, "msgtype").map_or_else(|| content.get("url").is_some(), is_of)
}

/// The body of a file is its caption only when the name stands beside it.
fn caption(content: &Content) -> Option<&str> {
    let name = string(content, "filename")?;
    string(content, "body").filter(|body| *body != name)
}

/// What is known of the file of a message.
pub(super) fn attachment(content: &Content) -> Option<Attachment> {
    if !is_file(content) {
        return None;
    }
    let encrypted = || content.get("file")?.get("url")?.as_str();
    let url = string(content, "url").or_else(encrypted)?;
    let known = url.starts_with("mxc://") && url.len() <= 512;
    let plain = !url.contains(|c: char| c.is_control() || c.is_whitespace());
    let names = [string(content, "filename"), string(content, "body")];
    let info = content.get("info");
    let kind = info.and_then(|info| info.get("mimetype")?.as_str());
    (known && plain).then(|| Attachment {
        id: url.to_owned(),
        name: names
            .into_iter()
            .flatten()
            .find_map(text::shown)
            .unwrap_or_else(|| "file".to_owned()),
        media_type: kind.and_then(|kind| text::line(kind, 128)),
        bytes: info.and_then(|info| info.get("size")?.as_u64()),
    })
}

/// Whether a program says it.
pub(super) fn is_notice(content: &Content) -> bool {
    string(content, "msgtype") == Some("m.notice")
}

#[cfg(test)]
mod tests;
