//! What terms mean, from A to Z.

use super::{Page, name};

pub(super) fn write(page: &mut Page<'_>) {
    let mut facts: Vec<_> = page.inputs.facts.iter().collect();
    let term = |text: &str| {
        let bare = text.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let article = ["the ", "a ", "an "].into_iter().find_map(|word| bare.strip_prefix(word));
        article.map_or(bare.clone(), |rest| rest.trim_start_matches('*').to_owned())
    };
    facts.sort_by_key(|fact| (term(&fact.fact.text), fact.fact.id.clone()));
    page.line("");
    for fact in facts {
        page.item("", fact, &name(&fact.fact.author));
    }
}
