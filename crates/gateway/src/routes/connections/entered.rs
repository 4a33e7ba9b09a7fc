//! What people enter to connect, checked before anybody is asked.

use std::time::Duration;

use connections::{Entered, Requirements, Server, requirements};
use connectors::{ConnectorError, Identity};
use domain::{Classify as _, ConnectionId, ErrorCode, Platform};
use serde_json::{Map, Value};
use store::Sealed;
use url::Url;

use crate::{ApiError, Gateway, input::Fields};

/// Longest credential, in bytes: a certificate with its key.
const LONGEST: usize = 16 * 1024;

/// A platform that has not answered by then is told to be away.
const WITHIN: Duration = Duration::from_secs(20);

pub(super) fn known_platform(platform: Platform) -> Result<Requirements, ApiError> {
    requirements(platform).ok_or_else(|| {
        let message =
            format!("{platform} cannot be connected: upload its export with POST /api/imports");
        ApiError::invalid("platform", message)
    })
}

/// The credentials, each one that the platform asks for; none when they are left out.
pub(super) fn credentials(
    fields: &Fields,
    needs: Requirements,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let Some(given) = fields.optional_object("credentials")? else { return Ok(None) };
    let refused =
        |name: &str, message: String| ApiError::invalid(&format!("credentials.{name}"), message);
    for (name, value) in given {
        if !needs.needed.iter().chain(needs.optional).any(|known| known == name) {
            let known = [needs.needed, needs.optional].concat().join(", ");
            // The name is not repeated: somebody may have put a token in its place.
            return Err(ApiError::invalid(
                "credentials",
                format!("an unknown credential: this platform takes {known}"),
            ));
        }
        let text = value.as_str().filter(|text| !text.trim().is_empty() && text.len() <= LONGEST);
        if text.is_none() {
            let message = format!("it must be a text of at most {LONGEST} bytes");
            return Err(refused(name, message));
        }
    }
    match needs.needed.iter().find(|needed| !given.contains_key(**needed)) {
        Some(missing) => Err(refused(missing, format!("the platform needs {missing}"))),
        None => Ok(Some(given.clone())),
    }
}

/// The server's address, where the platform needs one or the operator lists it.
pub(super) fn server(
    gateway: &Gateway,
    fields: &Fields,
    needs: Requirements,
) -> Result<Option<Url>, ApiError> {
    let refused = |message: &str| ApiError::invalid("base_url", message);
    let Some(text) = fields.optional_text("base_url")? else {
        return match needs.server {
            Server::TheirOwn => Err(refused("base_url is required: the address of your server")),
            Server::Fixed => Ok(None),
        };
    };
    let url = Url::parse(&text).map_err(|_| refused("base_url must be a URL: https://HOST"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("base_url must be a server's address without ? and #"));
    }
    let client = gateway.accounts.client();
    client.check(&url).map_err(|forbidden| refused(&forbidden.to_string()))?;
    // A token of a platform goes nowhere else, unless an operator says so.
    if needs.server == Server::Fixed && !url.host_str().is_some_and(|host| client.lists(host)) {
        return Err(refused(
            "this platform's address is known: leave base_url out, or list its host in \
             ATLAS_ALLOWED_HOSTS",
        ));
    }
    Ok(Some(url))
}

/// Asks the platform whom the credentials belong to.
pub(super) async fn identify(
    gateway: &Gateway,
    entered: Entered,
    id: &ConnectionId,
) -> Result<Identity, ApiError> {
    in_time(gateway.accounts.identify(entered, id)).await.map_err(refusal)
}

pub(super) async fn in_time<T>(
    asked: impl Future<Output = Result<T, ConnectorError>>,
) -> Result<T, ConnectorError> {
    let answer = tokio::time::timeout(WITHIN, asked).await;
    answer.unwrap_or_else(|_| {
        Err(ConnectorError::Platform("the platform took too long to answer".into()))
    })
}

/// Credentials as they are stored.
pub(super) fn account_of(
    gateway: &Gateway,
    id: &ConnectionId,
    platform: Platform,
    credentials: &Map<String, Value>,
) -> Result<Sealed, ApiError> {
    gateway.accounts.seal(id, platform, credentials).map_err(|error| {
        tracing::error!(%error, "credentials cannot be sealed");
        ApiError::unavailable(error.to_string())
    })
}

/// What a platform says, as a refusal of the request that asked it.
pub(super) fn refusal(error: ConnectorError) -> ApiError {
    let told = error.sync_error();
    match (&error, told.code) {
        (ConnectorError::Address(forbidden), _) => {
            ApiError::invalid("base_url", forbidden.to_string())
        }
        (_, ErrorCode::AuthError) => ApiError::invalid("credentials", told.message),
        (_, ErrorCode::RateLimit) => ApiError::platform_busy(told.details.retry_after),
        (ConnectorError::Platform(reason) | ConnectorError::Busy { reason, .. }, _) => {
            ApiError::unavailable(format!("the platform could not be asked: {reason}"))
        }
        _ => ApiError::unavailable(told.message),
    }
}
