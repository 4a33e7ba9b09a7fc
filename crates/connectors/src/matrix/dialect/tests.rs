use bytes::Bytes;
use domain::{Classify as _, ErrorCode, Timestamp};
use proptest::prelude::*;
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};

use super::*;

fn reply(status: u16, header: Option<&str>, body: &str) -> Reply {
    let mut headers = HeaderMap::new();
    if let Some(value) = header {
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
    }
    Reply {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::from(body.to_owned()),
        asked_at: Timestamp::from_micros(0),
    }
}

fn refusal(status: u16, body: &str) -> ConnectorError {
    Matrix.classify(&reply(status, None, body)).unwrap_err()
}

#[test]
fn every_refusal_has_its_code() {
    use ErrorCode::{AuthError, ChannelNotFound, InternalError, PlatformError, RateLimit};
    let cases = [
        (401, "M_UNKNOWN_TOKEN", AuthError),
        (401, "M_MISSING_TOKEN", AuthError),
        (401, "", AuthError),
        (403, "M_USER_DEACTIVATED", AuthError),
        (401, "M_USER_LOCKED", AuthError),
        (403, "M_GUEST_ACCESS_FORBIDDEN", AuthError),
        (403, "M_CONSENT_NOT_GIVEN", AuthError),
        (403, "M_FORBIDDEN", ChannelNotFound),
        (404, "M_NOT_FOUND", ChannelNotFound),
        (429, "M_LIMIT_EXCEEDED", RateLimit),
        (429, "", RateLimit),
        (400, "M_LIMIT_EXCEEDED", RateLimit),
        (500, "M_UNKNOWN", PlatformError),
        (502, "", PlatformError),
        (403, "M_RESOURCE_LIMIT_EXCEEDED", PlatformError),
        (404, "", PlatformError),
        (302, "", PlatformError),
        (400, "M_UNKNOWN", InternalError),
        (400, "M_INVALID_PARAM", InternalError),
        (404, "M_UNRECOGNIZED", InternalError),
    ];
    for (status, code, expected) in cases {
        let body = if code.is_empty() {
            "<html>".to_owned()
        } else {
            format!(r#"{{"errcode":"{code}","error":"with the token syt_secret"}}"#)
        };
        let error = refusal(status, &body);
        assert_eq!(error.sync_error().code, expected, "{status} {code}: {error}");
        assert!(!error.to_string().contains("syt_"), "a reply is not repeated: {error}");
    }
}

#[test]
fn an_ended_session_is_told_apart_from_a_wrong_token() {
    let told = |soft: bool| {
        refusal(401, &format!(r#"{{"errcode":"M_UNKNOWN_TOKEN","soft_logout":{soft}}}"#))
            .to_string()
    };
    assert!(told(true).contains("log in again"), "{}", told(true));
    assert!(told(false).contains("revoked"), "{}", told(false));
}

#[test]
fn a_pause_is_read_from_the_header_then_from_the_body_else_it_is_five_seconds() {
    let body = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":5030}"#;
    let pause = |header, body: &str| match Matrix.classify(&reply(429, header, body)) {
        Err(ConnectorError::RateLimit { retry_after }) => retry_after,
        other => panic!("{other:?}"),
    };
    assert_eq!(pause(Some("6"), body), Duration::from_secs(6));
    assert_eq!(pause(None, body), Duration::from_millis(5_030));
    assert_eq!(pause(None, r#"{"errcode":"M_LIMIT_EXCEEDED"}"#), Duration::from_secs(5));
    assert_eq!(pause(None, "<html>Too Many Requests</html>"), Duration::from_secs(5));
    let endless = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":99999999999}"#;
    assert_eq!(pause(None, endless), retry_after::LONGEST);
}

#[test]
fn a_busy_server_says_when_to_come_again() {
    let busy = Matrix.classify(&reply(503, Some("20"), "{}")).unwrap_err();
    assert_eq!(busy.sync_error().details.retry_after, Some(20));
}

proptest! {
    #[test]
    fn whatever_a_server_writes_is_classified(status in 100_u16..600, body in "\\PC{0,80}") {
        let outcome = Matrix.classify(&reply(status, None, &body));
        prop_assert_eq!(outcome.is_ok(), (200..300).contains(&status));
    }
}
