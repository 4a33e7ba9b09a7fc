//! Markdown in a terminal: headings stand out, footnotes step back.

use std::io::IsTerminal as _;

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const END: &str = "\u{1b}[0m";

/// A page for standard output: with emphasis on a terminal, as it is elsewhere.
pub(crate) fn rendered(markdown: &str) -> String {
    let plain = std::env::var_os("NO_COLOR").is_some() || !std::io::stdout().is_terminal();
    if plain { markdown.to_owned() } else { emphasised(markdown) }
}

fn emphasised(markdown: &str) -> String {
    let mut fenced = false;
    let mut text = String::with_capacity(markdown.len() + 512);
    for line in markdown.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let line = if fenced { format!("  {DIM}{line}{END}") } else { prose(line) };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn prose(line: &str) -> String {
    let readable = unescaped(line);
    if let Some(heading) = readable.strip_prefix("## ").or(readable.strip_prefix("# ")) {
        return format!("{BOLD}{heading}{END}");
    }
    if readable.starts_with("[^") && readable.contains("]: ") {
        return format!("{DIM}{readable}{END}");
    }
    let mut bold = false;
    let mut text = String::new();
    for (n, piece) in readable.split("**").enumerate() {
        if n > 0 {
            bold = !bold;
            text.push_str(if bold { BOLD } else { END });
        }
        text.push_str(piece);
    }
    if bold {
        text.push_str(END);
    }
    text
}

/// What was escaped for Markdown, as it was said.
fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let escapes =
            character == '\\' && characters.peek().is_some_and(char::is_ascii_punctuation);
        if !escapes {
            text.push(character);
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_leads_stand_out_and_footnotes_step_back() {
        let page = "# Title\n- **2026** a \\*star\\* &lt;b&gt;[^1]\n[^1]: Ann";
        let expected =
            format!("{BOLD}Title{END}\n- {BOLD}2026{END} a *star* <b>[^1]\n{DIM}[^1]: Ann{END}\n");
        assert_eq!(emphasised(page), expected);
    }
}
