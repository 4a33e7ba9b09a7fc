//! Blocks and attachments: where a message without a text of its own has its words.
//!
//! Both are turned back into Slack's markup, so that one reader does for all.

use serde_json::Value;

/// Nesting beyond this is not followed.
const MAX_DEPTH: u8 = 12;

/// The words of `blocks`.
pub(super) fn blocks(value: &Value) -> String {
    let mut text = String::new();
    for block in elements(Some(value)) {
        let line = block_text(block);
        push_line(&mut text, line.trim_end());
    }
    text
}

fn block_text(block: &Value) -> String {
    match kind(block) {
        "rich_text" => {
            let mut text = String::new();
            for part in elements(block.get("elements")) {
                push_line(&mut text, &rich(part, 0));
            }
            text
        }
        "section" | "header" => {
            let mut text = words(block.get("text"));
            for field in elements(block.get("fields")) {
                push_line(&mut text, &words(Some(field)));
            }
            text
        }
        "context" => elements(block.get("elements"))
            .map(|part| words(Some(part)))
            .collect::<Vec<_>>()
            .join(" "),
        "image" => words(block.get("title")),
        _ => String::new(),
    }
}

fn rich(part: &Value, depth: u8) -> String {
    if depth > MAX_DEPTH {
        return String::new();
    }
    let inner = || elements(part.get("elements")).map(|part| rich(part, depth + 1));
    match kind(part) {
        "rich_text_section" => inner().collect(),
        "rich_text_quote" => format!("> {}", inner().collect::<String>().replace('\n', "\n> ")),
        "rich_text_preformatted" => format!("```\n{}\n```", inner().collect::<String>()),
        "rich_text_list" => inner().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n"),
        "text" => match part.pointer("/style/code").and_then(Value::as_bool) {
            Some(true) => format!("`{}`", escaped(string(part, "text"))),
            _ => escaped(string(part, "text")),
        },
        "user" => format!("<@{}>", string(part, "user_id")),
        "channel" => format!("<#{}>", string(part, "channel_id")),
        "usergroup" => format!("<!subteam^{}>", string(part, "usergroup_id")),
        "broadcast" => format!("<!{}>", string(part, "range")),
        "emoji" => format!(":{}:", string(part, "name")),
        "link" => match string(part, "text") {
            "" => format!("<{}>", escaped(string(part, "url"))),
            label => format!("<{}|{}>", escaped(string(part, "url")), escaped(label)),
        },
        "date" => string(part, "fallback").to_owned(),
        _ => String::new(),
    }
}

/// The words of legacy `attachments`.
pub(super) fn attachments(value: &Value) -> String {
    let mut text = String::new();
    for attachment in elements(Some(value)) {
        let before = text.len();
        for key in ["pretext", "title", "text"] {
            push_line(&mut text, string(attachment, key));
        }
        for field in elements(attachment.get("fields")) {
            let (title, value) = (string(field, "title"), string(field, "value"));
            push_line(&mut text, &[title, value].join(": "));
        }
        if text.len() == before {
            push_line(&mut text, string(attachment, "fallback"));
        }
        if text.len() == before
            && let Some(nested) = attachment.get("blocks")
        {
            push_line(&mut text, &blocks(nested));
        }
    }
    text
}

fn push_line(text: &mut String, line: &str) {
    if line.trim().is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

fn kind(value: &Value) -> &str {
    string(value, "type")
}

fn string<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A text object: Slack's markup, or plain text that must not be taken for it.
fn words(value: Option<&Value>) -> String {
    let Some(value) = value else { return String::new() };
    match kind(value) {
        "plain_text" => escaped(string(value, "text")),
        _ => string(value, "text").to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice).iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rich_text_becomes_markup_again() {
        let value = json!([{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [
                {"type": "text", "text": "ask "}, {"type": "user", "user_id": "U1"},
                {"type": "text", "text": " about "},
                {"type": "text", "text": "a<b", "style": {"code": true}},
                {"type": "link", "url": "https://x.example", "text": "here"}]},
            {"type": "rich_text_list", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
                {"type": "rich_text_section", "elements": [{"type": "emoji", "name": "tada"}]}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "so\nit is"}]}]}]);
        assert_eq!(
            blocks(&value),
            "ask <@U1> about `a&lt;b`<https://x.example|here>\n- one\n- :tada:\n```\nx = 1\n```\n\
             > so\n> it is"
        );
    }

    #[test]
    fn sections_headers_and_contexts_have_words() {
        let value = json!([
            {"type": "header", "text": {"type": "plain_text", "text": "Build <7>"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*failed*"},
             "fields": [{"type": "mrkdwn", "text": "branch: main"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "by ci"}]},
            {"type": "divider"}]);
        assert_eq!(blocks(&value), "Build &lt;7&gt;\n*failed*\nbranch: main\nby ci");
    }

    #[test]
    fn an_attachment_without_words_has_its_fallback() {
        let value = json!([
            {"title": "Deploy", "text": "done", "fallback": "unused",
             "fields": [{"title": "env", "value": "prod"}]},
            {"fallback": "a picture"}]);
        assert_eq!(attachments(&value), "Deploy\ndone\nenv: prod\na picture");
    }

    #[test]
    fn endless_nesting_is_not_followed() {
        let mut value = json!({"type": "text", "text": "deep"});
        for _ in 0..100 {
            value = json!({"type": "rich_text_section", "elements": [value]});
        }
        assert_eq!(blocks(&json!([{"type": "rich_text", "elements": [value]}])), "");
    }
}
