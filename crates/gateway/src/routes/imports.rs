//! Uploads: streamed into the store, piece by piece.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, State, multipart::Field},
};
use connectors::import::ImportOptions;
use domain::{
    ConnectionId, ImportId,
    import::{Import, ImportFormat},
    message::hex,
};
use http::StatusCode;
use sha2::{Digest as _, Sha256};

use crate::{ApiError, Gateway, error::ErrorReply, input::Id, replies::imports::ImportReply};

/// Size of a stored piece, in bytes.
const PIECE: usize = 512 * 1024;

/// Longest text field beside the file, in bytes.
const MAX_FIELD: usize = 16 * 1_024;

/// Longest name of a file that is kept, in characters.
const MAX_NAME: usize = 200;

/// An upload bounds itself.
pub(crate) fn unbounded(router: Router<Gateway>) -> Router<Gateway> {
    router.layer(DefaultBodyLimit::disable())
}

/// Upload an export; `connection_id`, `format` and `options` come before the file.
#[utoipa::path(post, path = "/api/imports", tag = "imports",
    request_body(content_type = "multipart/form-data", description = "`file`: the export; optional before it: `connection_id`; `format` (auto, slack_export, discord_chat_exporter, mattermost_bulk, telegram, element_export, csv, jsonl); `options`, a JSON object that says how to read a table (columns {content, timestamp, author, author_id, id, thread, channel}, timezone, day_first, encoding, delimiter, max_error_percent)", content = String),
    responses((status = 202, body = ImportReply), (status = 413, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn upload(
    State(gateway): State<Gateway>,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(StatusCode, Json<ImportReply>), ApiError> {
    let mut multipart = multipart.map_err(|_| {
        ApiError::malformed("send the export as multipart/form-data with a field named file")
    })?;
    let mut connection = None;
    let mut format = ImportFormat::Auto;
    let mut options = ImportOptions::default();
    while let Some(field) = multipart.next_field().await.map_err(broken_off)? {
        match field.name() {
            Some("connection_id") => connection = Some(known_connection(&gateway, field).await?),
            Some("format") => {
                let name = text(field).await?;
                format = name.parse().map_err(|_| unknown_format())?;
            }
            Some("options") => options = read_options(&text(field).await?)?,
            Some("file") => {
                let name = field.file_name().map(|name| name.chars().take(MAX_NAME).collect());
                options.file_name = options.file_name.or(name);
                let declared = Declared { format, options, connection };
                let upload = receive(&gateway, field, &declared).await?;
                // What came behind the file would have been ignored.
                if multipart.next_field().await.map_err(broken_off)?.is_some() {
                    return Err(ApiError::invalid("file", "file must be the last field"));
                }
                let import = upload.accept().await?;
                return Ok((StatusCode::ACCEPTED, Json(ImportReply::from(import))));
            }
            _ => {
                return Err(ApiError::invalid(
                    "file",
                    "only file, connection_id, format and options are known fields",
                ));
            }
        }
    }
    Err(ApiError::invalid("file", "file is required"))
}

/// What an upload says of its file.
struct Declared {
    format: ImportFormat,
    options: ImportOptions,
    connection: Option<ConnectionId>,
}

fn unknown_format() -> ApiError {
    let known: Vec<_> = ImportFormat::ALL.iter().map(|format| format.as_str()).collect();
    ApiError::invalid("format", format!("format must be one of {}", known.join(", ")))
}

fn read_options(text: &str) -> Result<ImportOptions, ApiError> {
    serde_json::from_str(text)
        .map_err(|error| ApiError::invalid("options", format!("options cannot be read: {error}")))
}

fn broken_off(_: axum::extract::multipart::MultipartError) -> ApiError {
    ApiError::malformed("the upload broke off or is no multipart/form-data")
}

async fn text(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken_off)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_FIELD {
            return Err(ApiError::malformed("a text field of the upload is too long"));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| ApiError::malformed("a text field of the upload is no text"))
}

async fn known_connection(gateway: &Gateway, field: Field<'_>) -> Result<ConnectionId, ApiError> {
    let id: ConnectionId =
        text(field).await?.parse().map_err(|_| ApiError::not_found("CONNECTION"))?;
    gateway.store.connection(&id).await?.ok_or_else(|| ApiError::not_found("CONNECTION"))?;
    Ok(id)
}

async fn receive<'g>(
    gateway: &'g Gateway,
    field: Field<'_>,
    declared: &Declared,
) -> Result<Received<'g>, ApiError> {
    let id = ImportId::random();
    let Declared { format, options, connection } = declared;
    let options = serde_json::to_string(options)
        .map_err(|_| ApiError::invalid("options", "options cannot be kept"))?;
    gateway.store.begin_import(&id, *format, connection.as_ref(), &options).await?;
    let mut received = Received { gateway, id: Some(id.clone()), digest: String::new() };
    received.digest = store_pieces(gateway, &id, field).await?;
    Ok(received)
}

/// An upload whose pieces are stored. Its pieces are removed when it does not come to its end, a client
/// that goes away included.
struct Received<'g> {
    gateway: &'g Gateway,
    id: Option<ImportId>,
    digest: String,
}

impl Received<'_> {
    async fn accept(mut self) -> Result<Import, ApiError> {
        let Some(id) = &self.id else { return Err(ApiError::not_found("IMPORT")) };
        let import = self.gateway.store.accept_import(id, &self.digest).await?;
        self.id = None;
        import.ok_or_else(|| ApiError::not_found("IMPORT"))
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let store = self.gateway.store.clone();
            tokio::spawn(async move {
                if let Err(error) = store.remove_import(&id).await {
                    tracing::warn!(%error, import = %id, "a broken upload stays behind");
                }
            });
        }
    }
}

/// Answers with the digest of the whole.
async fn store_pieces(
    gateway: &Gateway,
    id: &ImportId,
    mut field: Field<'_>,
) -> Result<String, ApiError> {
    let mut digest = Sha256::new();
    let mut piece = Vec::with_capacity(PIECE);
    let (mut n, mut total) = (0, 0_u64);
    while let Some(chunk) = field.chunk().await.map_err(broken_off)? {
        total += chunk.len() as u64;
        if total > gateway.limits.upload_bytes {
            let most = gateway.limits.upload_bytes;
            return Err(ApiError::too_large(format!("the file is larger than {most} bytes")));
        }
        digest.update(&chunk);
        piece.extend_from_slice(&chunk);
        if piece.len() >= PIECE {
            gateway.store.add_chunk(id, n, &piece).await?;
            piece.clear();
            n += 1;
        }
    }
    if total == 0 {
        return Err(ApiError::invalid("file", "the file is empty: upload what the export made"));
    }
    if !piece.is_empty() {
        gateway.store.add_chunk(id, n, &piece).await?;
    }
    Ok(hex(&digest.finalize()))
}

/// An import.
#[utoipa::path(get, path = "/api/imports/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 200, body = ImportReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<Json<ImportReply>, ApiError> {
    let import = gateway.store.import(&import_id(&id)?).await?;
    Ok(Json(ImportReply::from(import.ok_or_else(|| ApiError::not_found("IMPORT"))?)))
}

/// Remove an import; the messages it brought stay.
#[utoipa::path(delete, path = "/api/imports/{id}", tag = "imports", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = ErrorReply)))]
pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    match gateway.store.remove_import(&import_id(&id)?).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("IMPORT")),
    }
}

fn import_id(id: &str) -> Result<ImportId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("IMPORT"))
}
