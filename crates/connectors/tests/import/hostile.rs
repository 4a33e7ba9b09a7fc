//! Files that mean no good.

use domain::import::ImportFormat;
use proptest::prelude::*;

use super::{ImportOptions, read_with, zip};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_file_breaks_a_reader(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for format in ImportFormat::ALL {
            let _ = read_with(&bytes, format, ImportOptions::default());
        }
    }

    #[test]
    fn no_record_breaks_a_reader(
        field in "(id|type|timestamp|content|author|date_unixtime|text|post|create_at|emoji|event_id|room_id|sender|origin_server_ts|unsigned|redacts)",
        value in "(null|[0-9]{1,25}|\"\\PC{0,12}\"|\\[\\]|\\{\\}|-1|1e400|true)",
    ) {
        let record = format!("{{\"id\":\"1\",\"type\":\"post\",\"{field}\":{value}}}");
        let discord = format!(r#"{{"guild":{{"id":"1"}},"channel":{{"id":"2"}},"messages":[{record}]}}"#);
        let telegram = format!(r#"{{"name":"x","type":"y","id":1,"messages":[{record}]}}"#);
        let element = format!(
            "{{\"room_name\":\"x\",\"exported_by\":\"y\",\"messages\":[{{\"event_id\":\"$1\",\"room_id\":\"!a\",\"type\":\"m.room.message\",\"{field}\":{value}}},{record}]}}"
        );
        let mattermost = format!("{{\"type\":\"version\",\"version\":1}}\n{{\"type\":\"channel\",\"channel\":{{\"team\":\"a\",\"name\":\"b\"}}}}\n{record}\n");
        for (content, format) in [
            (discord, ImportFormat::DiscordChatExporter),
            (telegram, ImportFormat::Telegram),
            (element, ImportFormat::ElementExport),
            (mattermost, ImportFormat::MattermostBulk),
            (record, ImportFormat::Jsonl),
        ] {
            let _ = read_with(content.as_bytes(), format, ImportOptions::default());
        }
    }
}

#[test]
fn a_record_larger_than_any_message_ends_the_reading_with_an_error() {
    let text = "x".repeat(40 << 20);
    let discord = format!(
        r#"{{"guild":{{"id":"1"}},"channel":{{"id":"2"}},"messages":[{{"id":"1","content":"{text}"}}]}}"#
    );
    let given =
        read_with(discord.as_bytes(), ImportFormat::DiscordChatExporter, ImportOptions::default())
            .unwrap();
    assert_eq!((given.report.rows, given.report.errors.len()), (0, 1));
    let csv = format!("timestamp,content\n1700000000,\"{text}\n");
    assert!(read_with(csv.as_bytes(), ImportFormat::Csv, ImportOptions::default()).is_err());
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let discord = format!(r#"{{"guild":{{"id":"1"}},"channel":{{"id":"2"}},"messages":{deep}}}"#);
    for format in ImportFormat::ALL {
        let _ = read_with(discord.as_bytes(), format, ImportOptions::default());
    }
}

#[test]
fn a_name_in_an_archive_that_leads_out_is_refused() {
    let bytes = zip(&[("../result.json", "{}")]);
    assert!(read_with(&bytes, ImportFormat::Auto, ImportOptions::default()).is_err());
}
