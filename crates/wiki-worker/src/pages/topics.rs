//! The topics of the channel.

use super::{Page, escaped};

pub(super) fn write(page: &mut Page<'_>) {
    let inputs = page.inputs;
    page.paragraph("What the channel knows most about.\n");
    for topic in &inputs.topics {
        let name = escaped(&topic.name);
        let linked = match inputs.slugs.get(&topic.entity_id) {
            Some(slug) => format!("[{name}]({slug}.md)"),
            None => name,
        };
        let last = topic.last_asserted.to_utc().format("%Y-%m-%d");
        let people = if topic.authors == 1 { "person" } else { "people" };
        page.line(&format!(
            "- {linked} ({}): {} facts by {} {people}, the last on {last}",
            topic.kind.as_str(),
            topic.facts,
            topic.authors,
        ));
    }
}
