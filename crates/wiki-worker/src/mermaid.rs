//! The relationship map, as a Mermaid drawing.

use std::collections::BTreeMap;

use domain::EntityId;
use store::StoredRelationship;

use crate::markdown::{one_line, shortened};

/// A map of more arrows than this is read by nobody.
const MAX_EDGES: usize = 24;

const LONGEST_LABEL: usize = 40;

/// A map of relationships between named entities; nothing when there is none.
pub(crate) fn map(
    relationships: &[StoredRelationship],
    names: &BTreeMap<EntityId, String>,
) -> Option<String> {
    let edges: Vec<_> = relationships
        .iter()
        .filter(|edge| names.contains_key(&edge.source) && names.contains_key(&edge.target))
        .take(MAX_EDGES)
        .collect();
    if edges.is_empty() {
        return None;
    }
    let mut numbers: BTreeMap<&EntityId, usize> = BTreeMap::new();
    let mut nodes = String::new();
    for id in edges.iter().flat_map(|edge| [&edge.source, &edge.target]) {
        let next = numbers.len();
        if let std::collections::btree_map::Entry::Vacant(entry) = numbers.entry(id) {
            entry.insert(next);
            nodes.push_str(&format!("  n{next}[\"{}\"]\n", label(&names[id])));
        }
    }
    let arrows: String = edges
        .iter()
        .map(|edge| {
            let verb = edge.kind.as_str().to_lowercase().replace('_', " ");
            format!("  n{} -->|{verb}| n{}\n", numbers[&edge.source], numbers[&edge.target])
        })
        .collect();
    Some(format!("```mermaid\ngraph LR\n{nodes}{arrows}```\n"))
}

/// Only what cannot end the label or mean anything to Mermaid.
fn label(name: &str) -> String {
    let harmless = |character: &char| {
        character.is_alphanumeric()
            || matches!(character, ' ' | '.' | '-' | '_' | '/' | '+' | '@' | ',')
    };
    let clean: String = one_line(name).chars().filter(harmless).collect();
    shortened(if clean.trim().is_empty() { "?" } else { clean.trim() }, LONGEST_LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_label() {
        assert_eq!(label("a\"];\nclick n0 \"javascript:x\" <b>"), "a click n0 javascriptx b");
        assert_eq!(label("\"]["), "?");
    }
}
