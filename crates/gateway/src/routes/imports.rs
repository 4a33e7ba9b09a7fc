//! Uploads: streamed into the store, piece by piece.

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, State, multipart::Field},
};
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

/// How a zip archive begins.
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// Longest text field beside the file, in bytes.
const MAX_FIELD: usize = 1_024;

/// An upload bounds itself.
pub(crate) fn unbounded(router: Router<Gateway>) -> Router<Gateway> {
    router.layer(DefaultBodyLimit::disable())
}

/// Upload an export; `connection_id` and `format` come before the file.
#[utoipa::path(post, path = "/api/imports", tag = "imports",
    request_body(content_type = "multipart/form-data", description = "`file`: the export; optional before it: `connection_id`, `format` (slack_export)", content = String),
    responses((status = 202, body = ImportReply), (status = 413, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn upload(
    State(gateway): State<Gateway>,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(StatusCode, Json<ImportReply>), ApiError> {
    let mut multipart = multipart.map_err(|_| {
        ApiError::malformed("send the export as multipart/form-data with a field named file")
    })?;
    let mut connection = None;
    let mut format = ImportFormat::SlackExport;
    while let Some(field) = multipart.next_field().await.map_err(broken_off)? {
        match field.name() {
            Some("connection_id") => connection = Some(known_connection(&gateway, field).await?),
            Some("format") => {
                let name = text(field).await?;
                format = name
                    .parse()
                    .map_err(|_| ApiError::invalid("format", "format must be slack_export"))?;
            }
            Some("file") => {
                let upload = receive(&gateway, field, format, connection.as_ref()).await?;
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
                    "only file, connection_id and format are known fields",
                ));
            }
        }
    }
    Err(ApiError::invalid("file", "file is required"))
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
    format: ImportFormat,
    connection: Option<&ConnectionId>,
) -> Result<Received<'g>, ApiError> {
    let id = ImportId::random();
    gateway.store.begin_import(&id, format, connection).await?;
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
        check_beginning(n, &piece)?;
        if piece.len() >= PIECE {
            gateway.store.add_chunk(id, n, &piece).await?;
            piece.clear();
            n += 1;
        }
    }
    if total < ZIP.len() as u64 {
        return Err(not_a_zip());
    }
    if !piece.is_empty() {
        gateway.store.add_chunk(id, n, &piece).await?;
    }
    Ok(hex(&digest.finalize()))
}

fn check_beginning(n: i64, piece: &[u8]) -> Result<(), ApiError> {
    match piece.get(..ZIP.len()) {
        Some(beginning) if n == 0 && beginning != ZIP => Err(not_a_zip()),
        _ => Ok(()),
    }
}

fn not_a_zip() -> ApiError {
    ApiError::invalid(
        "file",
        "the file is no zip archive: upload the zip as the platform's export made it",
    )
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
