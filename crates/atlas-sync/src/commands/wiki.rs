//! Reading the wiki.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    CliError, Shared,
    connect::{channel_id, connect},
};
use crate::{
    client::Client,
    output::{self, say},
    terminal,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The channel: its id, or its name where only one has it.
    channel: String,
    /// The page, by its slug.
    #[arg(default_value = "overview")]
    page: String,
    /// Write all pages as Markdown files into this folder.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let outcome = read(&connection.client, shared, &args).await;
    connection.close().await;
    outcome
}

async fn read(client: &Client, shared: &Shared, args: &Args) -> Result<(), CliError> {
    let channel = channel_id(client, &args.channel).await?;
    if let Some(folder) = &args.out {
        return write(client, shared, &channel, folder).await;
    }
    if shared.json {
        let path = format!("/api/wiki/pages/{}", args.page);
        return output::json(&client.get(&path, &[("channel_id", &channel)]).await?);
    }
    match client.markdown(&args.page, &channel).await {
        Ok(markdown) => print!("{}", terminal::rendered(&markdown)),
        Err(error) if error.is_not_found() => {
            return Err(no_such_page(client, &channel, &args.page).await?);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Names the pages that there are.
async fn no_such_page(client: &Client, channel: &str, page: &str) -> Result<CliError, CliError> {
    let slugs = slugs(client, channel).await?;
    Ok(CliError::not_found(match slugs.is_empty() {
        true => "this channel has no wiki yet: `atlas-sync sync` makes it".to_owned(),
        false => format!("there is no page {page}; there are: {}", slugs.join(", ")),
    }))
}

/// The pages of a channel, in the order of their wiki.
async fn slugs(client: &Client, channel: &str) -> Result<Vec<String>, CliError> {
    let structure = client.get("/api/wiki/structure", &[("channel_id", channel)]).await?;
    let mut slugs = Vec::new();
    collect(&structure["pages"], &mut slugs);
    Ok(slugs)
}

async fn write(
    client: &Client,
    shared: &Shared,
    channel: &str,
    folder: &std::path::Path,
) -> Result<(), CliError> {
    let slugs = slugs(client, channel).await?;
    std::fs::create_dir_all(folder)?;
    for slug in &slugs {
        let markdown = client.markdown(slug, channel).await?;
        std::fs::write(folder.join(format!("{slug}.md")), markdown)?;
    }
    if shared.json {
        return output::json(&json!({"folder": folder, "pages": slugs}));
    }
    say!("{} pages are in {}", slugs.len(), folder.display());
    Ok(())
}

fn collect(pages: &Value, slugs: &mut Vec<String>) {
    for page in pages.as_array().into_iter().flatten() {
        slugs.extend(page["slug"].as_str().map(str::to_owned));
        collect(&page["children"], slugs);
    }
}
