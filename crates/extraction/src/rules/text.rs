//! Sentences and words of a message, by place in its text.

use std::ops::Range;

/// Sentences of one message beyond this many are not looked at.
const MAX_SENTENCES: usize = 120;

/// Longest sentence that can carry a fact, in bytes.
pub(super) const MAX_SENTENCE: usize = 600;

const ABBREVIATIONS: [&str; 12] =
    ["e.g", "i.e", "etc", "vs", "no", "approx", "resp", "incl", "mr", "ms", "dr", "cf"];

/// A sentence of prose: not code, not quoted.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) range: Range<usize>,
    /// Its words in lower case, apostrophes straightened.
    pub(super) words: Vec<Word>,
    pub(super) is_question: bool,
}

/// A word and where it stands in the text.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) range: Range<usize>,
    pub(super) lower: String,
}

impl Sentence {
    /// Where a phrase begins, as an index of a word.
    pub(super) fn find(&self, phrase: &str) -> Option<usize> {
        let wanted: Vec<&str> = phrase.split(' ').collect();
        self.words
            .windows(wanted.len())
            .position(|words| words.iter().zip(&wanted).all(|(word, wanted)| word.lower == *wanted))
    }

    pub(super) fn has(&self, phrase: &str) -> bool {
        self.find(phrase).is_some()
    }

    pub(super) fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.has(phrase))
    }

    /// The first of several phrases: where it begins, and the index of the word behind it.
    pub(super) fn first_of(&self, phrases: &[&str]) -> Option<(usize, usize)> {
        phrases
            .iter()
            .filter_map(|phrase| {
                let at = self.find(phrase)?;
                Some((at, at + phrase.split(' ').count()))
            })
            .min()
    }

    pub(super) fn starts_with_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.find(phrase) == Some(0))
    }
}

/// The sentences of a text.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut fenced = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let fences = line.matches("```").count();
        if fenced || fences > 0 {
            fenced ^= fences % 2 == 1;
            continue;
        }
        if line.trim_start().starts_with('>') {
            continue;
        }
        split_line(text, range, &mut sentences);
        if sentences.len() >= MAX_SENTENCES {
            sentences.truncate(MAX_SENTENCES);
            break;
        }
    }
    sentences
}

fn split_line(text: &str, line: Range<usize>, sentences: &mut Vec<Sentence>) {
    let bytes = text.as_bytes();
    let mut start = line.start;
    let mut in_code = false;
    for at in line.clone() {
        match bytes[at] {
            b'`' => in_code = !in_code,
            b'.' | b'!' | b'?' if !in_code && ends_sentence(text, start, at, line.end) => {
                push(text, start..at + 1, sentences);
                start = at + 1;
            }
            _ => {}
        }
    }
    push(text, start..line.end, sentences);
}

fn ends_sentence(text: &str, start: usize, at: usize, line_end: usize) -> bool {
    let bytes = text.as_bytes();
    // `*` and closing brackets belong to the sentence before them.
    let next =
        bytes[at + 1..line_end].iter().find(|byte| !matches!(byte, b'*' | b'_' | b')' | b'"'));
    if next.is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return false;
    }
    let last = text[start..at].rsplit([' ', '(', '\n']).next().unwrap_or_default();
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    // "1. first" is a list, "v2." the end of something.
    let opens_list = is_number && text[start..at].trim() == last;
    !(opens_list || bytes[at] == b'.' && ABBREVIATIONS.contains(&last.to_lowercase().as_str()))
}

fn push(text: &str, range: Range<usize>, sentences: &mut Vec<Sentence>) {
    let range = trimmed(text, range);
    if range.is_empty() || range.len() > MAX_SENTENCE {
        return;
    }
    let is_question =
        text[range.clone()].trim_end_matches([')', '*', '_', '"', ' ']).ends_with('?');
    sentences.push(Sentence { words: words(text, range.clone()), range, is_question });
}

/// Without white space and list bullets.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let slice = &text[range.clone()];
    let left = slice.trim_start_matches([' ', '\t', '\n', '•', '-', '–', '—', ',', ';']);
    let start = range.end - left.len();
    let end = start + left.trim_end().len();
    start..end
}

fn words(text: &str, range: Range<usize>) -> Vec<Word> {
    let inside = |character: char| {
        character.is_alphanumeric() || matches!(character, '\'' | '’' | '-' | '_' | '@' | '+' | '#')
    };
    let mut words = Vec::new();
    let mut start = None;
    let slice = &text[range.clone()];
    for (at, character) in slice.char_indices().chain([(slice.len(), ' ')]) {
        match (inside(character), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let lower = slice[from..at].to_lowercase().replace('’', "'");
                words.push(Word { range: range.start + from..range.start + at, lower });
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|sentence| &text[sentence.range]).collect()
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(split("We ship. Today! Really?"), ["We ship.", "Today!", "Really?"]);
        assert_eq!(split("Use v1.2.3 e.g. here. Ok"), ["Use v1.2.3 e.g. here.", "Ok"]);
    }

    #[test]
    fn code_and_quotes_are_not_prose() {
        assert_eq!(split("a\n```\nlet x = 1. y\n```\n> quoted. words\nb"), ["a", "b"]);
        assert_eq!(split("run `a. b` now. then"), ["run `a. b` now.", "then"]);
    }

    #[test]
    fn a_phrase_is_found_by_words() {
        let sentence = &sentences("So we’ll go with Kafka")[0];
        assert_eq!(sentence.find("we'll go with"), Some(1));
        assert!(!sentence.has("go wit"));
    }

    #[test]
    fn list_items_lose_their_bullets() {
        assert_eq!(split("- one\n• two\n1. three"), ["one", "two", "1. three"]);
    }
}
