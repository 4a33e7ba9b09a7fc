//! Tables and JSON lines.

use connectors::{ImportError, import::Columns};
use domain::import::ImportFormat;

use super::{ImportOptions, read, read_with};

fn named(file_name: &str) -> ImportOptions {
    ImportOptions { file_name: Some(file_name.to_owned()), ..ImportOptions::default() }
}

#[test]
fn a_table_is_recognised_by_the_usual_names_of_its_columns() {
    let csv = "Date;User;Message;Channel\n2026-03-02 10:00;Ann;\"Two\nlines; one cell\";Town Hall\n2026-03-02 10:01;Bob;ok;other\n";
    let given = read_with(csv.as_bytes(), ImportFormat::Auto, named("chat.csv")).unwrap();
    assert_eq!(given.channels(), [("file:other", "other"), ("file:town-hall", "Town Hall")]);
    assert_eq!(given.texts("file:town-hall"), ["Two\nlines; one cell"]);
    assert_eq!(given.messages["file:other"][0].author.name, "Bob");
}

#[test]
fn columns_zone_and_order_of_days_are_as_declared() {
    let csv = "when,who,what\n03/04/2026 10:00,Ann,hello\n";
    let options = ImportOptions {
        columns: Columns {
            content: Some("what".into()),
            timestamp: Some("when".into()),
            author: Some("who".into()),
            ..Columns::default()
        },
        timezone: Some("Europe/Berlin".into()),
        day_first: Some(true),
        ..named("team talk.csv")
    };
    let given = read_with(csv.as_bytes(), ImportFormat::Csv, options).unwrap();
    let message = &given.messages["file:team-talk"][0];
    assert_eq!(message.sent_at.to_rfc3339(), "2026-04-03T08:00:00Z");
}

#[test]
fn a_row_without_a_time_is_an_error_and_never_now() {
    let csv = "timestamp,content,author\n1700000000,a,Ann\n,b,Ann\nsoon,c,Ann\n1700000100,d,Ann\n";
    let given = read(csv);
    assert_eq!(given.report.rows, 2);
    let lines: Vec<u64> = given.report.errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn a_file_of_errors_is_refused_with_its_first_error() {
    let csv = "timestamp,content\nsoon,a\nlater,b\n1700000100,d\n";
    let refused = read_with(csv.as_bytes(), ImportFormat::Csv, named("x.csv")).err().unwrap();
    assert!(matches!(refused, ImportError::TooManyErrors { unread: 2, all: 3, .. }), "{refused}");
    let options = ImportOptions { max_error_percent: Some(90), ..named("x.csv") };
    assert_eq!(read_with(csv.as_bytes(), ImportFormat::Csv, options).unwrap().report.rows, 1);
}

#[test]
fn encodings_are_recognised_or_declared() {
    let text = "timestamp,author,content\n1700000000,Jörg,für alle – täglich größer\n";
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let (cp1252, ..) = encoding_rs::WINDOWS_1252.encode(text);
    let with_mark = ["\u{feff}", text].concat();
    for bytes in [text.as_bytes(), &utf16, &cp1252, with_mark.as_bytes()] {
        let given = read_with(bytes, ImportFormat::Csv, named("x.csv")).unwrap();
        assert_eq!(given.messages["file:x"][0].author.name, "Jörg");
        assert_eq!(given.messages["file:x"][0].text, "für alle – täglich größer");
    }
    let chinese = "timestamp,author,content\n1700000000,王,你好\n";
    let (gb, ..) = encoding_rs::GB18030.encode(chinese);
    let options = ImportOptions { encoding: Some("gb18030".into()), ..named("x.csv") };
    let given = read_with(&gb, ImportFormat::Csv, options).unwrap();
    assert_eq!(given.texts("file:x"), ["你好"]);
}

#[test]
fn importing_again_gives_the_same_ids_and_equal_rows_stay_apart() {
    let csv = "timestamp,content,author\n1700000000,ok,Ann\n1700000000,ok,Ann\n1700000000,ok,Bob\n";
    let ids = || -> Vec<String> {
        let given = read(csv);
        given.messages.values().flatten().map(|message| message.id.to_string()).collect()
    };
    let first = ids();
    assert_eq!(first, ids());
    let mut distinct = first;
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn json_lines_are_read_field_by_field() {
    let lines = "{\"ts\":1700000000,\"user\":\"Ann\",\"text\":\"hi\",\"id\":\"m1\"}\n\n{\"ts\":1700000001,\"text\":\"yo\",\"id\":7,\"thread_id\":\"m1\"}\nbroken\n";
    let given = read_with(lines.as_bytes(), ImportFormat::Auto, named("log.jsonl")).unwrap();
    let messages = &given.messages["file:log"];
    assert_eq!(messages[0].id.as_str(), "m1");
    assert_eq!(given.report.errors[0].line, 4);
    assert_eq!(messages[1].author.name, "Unknown (unknown)");
}

#[test]
fn what_is_declared_and_missing_is_named() {
    let refused = |options| {
        read_with(b"timestamp,content\n1,a\n", ImportFormat::Csv, options)
            .err()
            .unwrap()
            .to_string()
    };
    let columns = Columns { author: Some("who".into()), ..Columns::default() };
    assert!(refused(ImportOptions { columns, ..named("x") }).contains("\"who\""));
    let zone = ImportOptions { timezone: Some("Mars/Base".into()), ..named("x") };
    assert!(refused(zone).contains("IANA"));
    let none = read_with(b"a,b\n1,2\n", ImportFormat::Csv, named("x")).err().unwrap();
    assert!(matches!(none, ImportError::NoColumn(_)));
}
