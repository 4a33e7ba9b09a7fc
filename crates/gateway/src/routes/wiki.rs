//! The wiki.

use std::io::{Cursor, Write as _};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::page::PageKind;
use http::{HeaderMap, HeaderValue, header};
use store::{StoredPage, WikiState};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::channels::require;
use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Id, Params},
    paging::{Asked, page},
    replies::wiki::{PageEntry, PageReply, Structure, VersionReply, Versions},
};

/// The pages of a channel's wiki.
#[utoipa::path(get, path = "/api/wiki/structure", tag = "wiki", params(("channel_id" = String, Query)),
    responses((status = 200, body = Structure), (status = 404, body = ErrorReply)))]
pub(crate) async fn structure(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Structure>, ApiError> {
    let channel = require(&gateway, &params.channel()?).await?;
    let WikiState { dirty, pages } = gateway.store.wiki_state(&channel.id).await?;
    let is_stale = !dirty.pages.is_empty();
    let generated_at = pages.iter().map(|page| page.updated_at).max();
    let (topics, others): (Vec<_>, Vec<_>) =
        pages.iter().partition(|page| page.key.kind == PageKind::Topic);
    let mut entries = Vec::new();
    for page in others {
        let mut entry = PageEntry::from(page);
        if page.key.kind == PageKind::Topics {
            entry.children = topics.iter().map(|topic| PageEntry::from(*topic)).collect();
        }
        entries.push(entry);
    }
    Ok(Json(Structure {
        channel_id: channel.id.to_string(),
        channel_name: channel.name,
        platform: channel.platform.as_str(),
        generated_at,
        is_stale,
        pages: entries,
    }))
}

/// A page, as JSON or, with `Accept: text/markdown`, as itself.
#[utoipa::path(get, path = "/api/wiki/pages/{slug}", tag = "wiki",
    params(("slug" = String, Path), ("channel_id" = String, Query), ("version" = Option<u32>, Query)),
    responses((status = 200, body = PageReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Id(slug): Id,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let channel = require(&gateway, &params.channel()?).await?;
    let version = params.parsed("version", "the number of a version")?;
    let page = gateway.store.page(&channel.id, &slug, version).await?;
    let page = page.ok_or_else(|| ApiError::not_found("PAGE"))?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/markdown")) {
        let markdown = HeaderValue::from_static("text/markdown; charset=utf-8");
        return Ok(([(header::CONTENT_TYPE, markdown)], page.content).into_response());
    }
    Ok(Json(PageReply::from(page)).into_response())
}

/// The versions of a page, newest first.
#[utoipa::path(get, path = "/api/wiki/versions", tag = "wiki",
    params(("channel_id" = String, Query), ("slug" = String, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Versions), (status = 404, body = ErrorReply)))]
pub(crate) async fn versions(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Versions>, ApiError> {
    let channel = require(&gateway, &params.channel()?).await?;
    let slug = params.required("slug")?;
    let asked = Asked::<u32>::read(&params)?;
    let (limit, fetch) = (asked.limit, asked.fetch());
    let found = gateway.store.page_versions(&channel.id, &slug, asked.after, fetch).await?;
    if found.is_empty() && asked.after.is_none() {
        return Err(ApiError::not_found("PAGE"));
    }
    let (found, next_cursor) = page(found, limit, |version| version.version);
    Ok(Json(Versions { versions: found.iter().map(VersionReply::from).collect(), next_cursor }))
}

/// The wiki as a zip of Markdown files.
#[utoipa::path(get, path = "/api/wiki/download", tag = "wiki", params(("channel_id" = String, Query)),
    responses((status = 200, content_type = "application/zip"), (status = 404, body = ErrorReply)))]
pub(crate) async fn download(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Response, ApiError> {
    let channel = require(&gateway, &params.channel()?).await?;
    let mut pages = Vec::new();
    for summary in gateway.store.wiki_state(&channel.id).await?.pages {
        pages.extend(gateway.store.page(&channel.id, &summary.slug, None).await?);
    }
    let packed = tokio::task::spawn_blocking(move || pack(&pages)).await;
    let bytes = packed.ok().and_then(Result::ok);
    let bytes = bytes.ok_or_else(|| ApiError::unavailable("the pages could not be packed"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"wiki.zip\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// The same pages make the same bytes: no time of packing in it.
fn pack(pages: &[StoredPage]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for page in pages {
        zip.start_file(format!("{}.md", page.slug), options)?;
        zip.write_all(page.content.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
