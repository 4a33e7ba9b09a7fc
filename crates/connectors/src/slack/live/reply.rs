//! What Slack answers, as far as it is read.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lenient::{or_default, raw};

raw!(
    /// What every reply has: Slack refuses with status 200.
    Envelope { ok: bool, error: String, needed: String, provided: String }
);

/// How a reply begins that refuses nothing.
const GRANTED: &[u8] = b"{\"ok\":true,";

impl Envelope {
    /// The envelope of a body; pages are not read through for it.
    pub(super) fn of(body: &[u8]) -> serde_json::Result<Self> {
        if body.starts_with(GRANTED) {
            return Ok(Self { ok: true, ..Self::default() });
        }
        serde_json::from_slice(body)
    }
}

raw!(Me {
    url: String,
    team: String,
    user: String,
    team_id: String,
    user_id: String,
    bot_id: String,
    is_enterprise_install: bool
});

raw!(Team { url: String, domain: String });

raw!(TeamInfo { team: Team });

raw!(Found { total: Option<u64> });

raw!(Search { messages: Found });

raw!(Info { channel: Channel });

raw!(Channel {
    id: String,
    name: String,
    created: i64,
    is_private: bool,
    is_mpim: bool,
    is_im: bool,
    topic: Topic,
    purpose: Topic,
    num_members: Option<u64>,
});

raw!(Topic { value: String });

raw!(Rest { next_cursor: String });

raw!(Channels { channels: Vec<Channel>, response_metadata: Rest });

raw!(Bot { name: String });

raw!(BotInfo { bot: Bot });

/// A page of messages, each still to be read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Messages<'j> {
    #[serde(borrow)]
    pub(super) messages: Vec<&'j RawValue>,
    #[serde(deserialize_with = "or_default")]
    pub(super) response_metadata: Rest,
    /// The workspace's plan hides older messages.
    #[serde(deserialize_with = "or_default")]
    pub(super) is_limited: bool,
}

impl Messages<'_> {
    /// Where the next page is; a short page is not the last one, only one without a cursor is.
    pub(super) fn next(&self) -> Option<String> {
        let next = &self.response_metadata.next_cursor;
        (!next.is_empty()).then(|| next.clone())
    }
}

/// A page of people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Members<'j> {
    #[serde(borrow)]
    pub(super) members: Vec<&'j RawValue>,
    #[serde(deserialize_with = "or_default")]
    pub(super) response_metadata: Rest,
}

/// One of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member<'j> {
    #[serde(borrow)]
    pub(super) user: Option<&'j RawValue>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lenient::any_json;

    proptest! {
        #[test]
        fn no_reply_is_too_odd_to_be_read(reply in any_json()) {
            let json = reply.to_string();
            let _ = serde_json::from_str::<Envelope>(&json);
            let _ = serde_json::from_str::<Me>(&json);
            let _ = serde_json::from_str::<Info>(&json);
            let _ = serde_json::from_str::<Channels>(&json);
            let _ = serde_json::from_str::<TeamInfo>(&json);
            let _ = serde_json::from_str::<Search>(&json);
            let _ = serde_json::from_str::<BotInfo>(&json);
            let _ = serde_json::from_str::<Messages<'_>>(&json).map(|page| page.next());
            let _ = serde_json::from_str::<Members<'_>>(&json);
            let _ = serde_json::from_str::<Member<'_>>(&json);
        }

        #[test]
        fn a_field_of_another_type_is_a_field_that_is_missing(odd in any_json(), name in "[a-z_]{1,10}") {
            let reply = serde_json::json!({"ok": true, "channel": {"id": "C1", name: odd}});
            let info: Info = serde_json::from_str(&reply.to_string()).unwrap();
            prop_assert!(info.channel.id == "C1" || reply["channel"]["id"] != "C1");
        }
    }
}
