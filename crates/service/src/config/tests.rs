//! What a process is told, and how it is refused.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::from_variables(&variables)
}

fn values(file: &str, pairs: &[(&str, &str)]) -> Result<Values, ConfigError> {
    let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Values::from_variables(variables)?.with_file("atlas-sync.toml", file)
}

fn read_with(file: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_values(&values(file, pairs)?)
}

fn refused(pairs: &[(&str, &str)]) -> String {
    read(pairs).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_the_embedded_service_on_loopback() {
    let config = read(&[]).unwrap();
    assert!(config.is_loopback());
    assert_eq!(&*config.database_url, "sqlite:data/atlas-sync.db");
    assert_eq!(config.data_folder(), PathBuf::from("data"));
}

#[test]
fn a_refusal_names_the_variable_what_it_holds_and_what_is_allowed() {
    let slots = refused(&[("ATLAS_SLOTS", "many")]);
    assert_eq!(slots, "ATLAS_SLOTS is \"many\": it must be a number from 1 to 256");
    let log = refused(&[("ATLAS_LOG_FORMAT", "xml")]);
    assert_eq!(log, "ATLAS_LOG_FORMAT is \"xml\": it must be text or json");
    let wiki = refused(&[("ATLAS_GENERATING_WIKI_SLOTS", "0")]);
    assert!(wiki.starts_with("ATLAS_GENERATING_WIKI_SLOTS is \"0\""), "{wiki}");
    let queue = refused(&[("QUEUE_URL", "kafka://user:secret@x")]);
    assert_eq!(queue, "QUEUE_URL is \"kafka://…@x\": it must be memory: or amqp://…");
    let database = refused(&[("DATABASE_URL", "user:secret")]);
    assert!(!database.contains("secret"), "{database}");
}

/// A value that no setting of numbers takes, and the borders of each.
#[test]
fn every_number_is_refused_outside_its_range_and_taken_at_its_ends() {
    let numbers = TABLE.iter().flat_map(|group| group.settings).filter_map(|setting| {
        let Allowed::Number { least, most, .. } = setting.allowed else { return None };
        Some((setting, least, most))
    });
    for (setting, least, most) in numbers.clone() {
        let outside = [least.wrapping_sub(1).to_string(), (most + 1).to_string(), "x".to_owned()];
        for value in outside {
            let told = refused(&[(setting.variable, &value)]);
            let expected =
                format!("{} is {value:?}: it must be {}", setting.variable, setting.allowed);
            assert_eq!(told, expected);
        }
        // What one of them needs of the others.
        let beside = [
            ("ATLAS_BACKOFF_CAP_SECONDS", "86400"),
            ("ATLAS_PREFETCH", "4096"),
            ("ATLAS_SLOTS", "1"),
            ("ATLAS_BACKOFF_BASE_MILLISECONDS", "1"),
            ("ATLAS_FETCHING_MESSAGES_TIME_LIMIT_SECONDS", "120"),
        ];
        for value in [least.to_string(), most.to_string()] {
            let beside = beside.iter().copied().filter(|(name, _)| *name != setting.variable);
            let all: Vec<_> = beside.chain([(setting.variable, value.as_str())]).collect();
            read(&all).unwrap();
        }
    }
    assert!(numbers.count() > 10);
}

#[test]
fn what_only_one_stage_or_its_slots_cannot_do_is_refused() {
    let prefetch = refused(&[("ATLAS_SLOTS", "4"), ("ATLAS_BUILDING_GRAPH_PREFETCH", "3")]);
    assert!(prefetch.starts_with("ATLAS_BUILDING_GRAPH_PREFETCH is \"3\""), "{prefetch}");
    let walk = refused(&[("ATLAS_TIME_LIMIT_SECONDS", "60")]);
    assert!(walk.starts_with("ATLAS_TIME_LIMIT_SECONDS is \"60\""), "{walk}");
    let cap = refused(&[("ATLAS_BACKOFF_BASE_MILLISECONDS", "400000")]);
    assert!(
        cap.starts_with("backoff_cap_seconds is \"300\": it must be seconds, not below"),
        "{cap}"
    );
    assert!(read(&[("ATLAS_PREFIX", "a:b")]).is_err());
}

#[test]
fn what_lives_in_one_process_is_refused_to_a_part_of_the_whole() {
    let told = refused(&[("ATLAS_ROLES", "gateway, scheduler")]);
    assert!(told.starts_with("DATABASE_URL is sqlite:"), "{told}");
    let servers = [("DATABASE_URL", "postgres://db/atlas"), ("PROGRESS_URL", "redis://redis")];
    let roles = [("ATLAS_ROLES", "graph-worker")];
    let told = refused(&[&servers[..], &roles[..]].concat());
    assert!(told.starts_with("QUEUE_URL is memory:"), "{told}");
    let queue = [("QUEUE_URL", "amqp://rabbit")];
    let config = read(&[&servers[..], &roles[..], &queue[..]].concat()).unwrap();
    assert!(config.has(Role::GraphWorker) && !config.has(Role::Gateway));
    assert!(read(&[("ATLAS_ROLES", "gateway,cook")]).is_err());
}

#[test]
fn a_password_in_an_address_is_never_told() {
    let config = read(&[("DATABASE_URL", "postgres://atlas:hunter2@db/atlas")]).unwrap();
    assert!(!format!("{config:?} {}", config.database_url).contains("hunter2"));
    assert!(config.database_url.contains("hunter2"), "but is there to connect with");
}

#[test]
fn an_empty_value_is_as_good_as_none() {
    assert!(read(&[("ATLAS_LISTEN", ""), ("ATLAS_API_KEY_FILE", "")]).is_ok());
    assert!(read_with("listen = \"\"\nprefetch = \"\"", &[]).is_ok());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let file = "slots = 3\nlease_seconds = 30\nroles = [\"gateway\", \"scheduler\"]\n\
                database_url = \"postgres://db/atlas\"\nqueue_url = \"amqp://rabbit\"\n\
                progress_url = \"redis://redis\"\n[extracting_facts]\nslots = 8\n";
    let config = read_with(file, &[("ATLAS_LEASE_SECONDS", "40")]).unwrap();
    assert_eq!(config.lease, Duration::from_secs(40));
    assert_eq!(config.roles, [Role::Gateway, Role::Scheduler].into());
    assert_eq!(config.stage(Stage::BuildingGraph).slots, 3);
    assert_eq!(config.stage(Stage::ExtractingFacts).slots, 8);
    assert_eq!(config.grace, Duration::from_secs(20));
}

#[test]
fn what_is_said_of_a_stage_wins_over_what_is_said_of_all() {
    let file = "attempts = 7\n[extracting_facts]\nslots = 8\ntime_limit_seconds = 30\n";
    let config = read_with(file, &[("ATLAS_SLOTS", "4")]).unwrap();
    let (facts, graph) = (config.stage(Stage::ExtractingFacts), config.stage(Stage::BuildingGraph));
    assert_eq!((facts.slots, facts.prefetch, graph.slots), (8, 8, 4));
    assert_eq!((facts.time_limit, facts.retries.attempts), (Duration::from_secs(30), 7));
    let own = [
        ("ATLAS_EXTRACTING_FACTS_SLOTS", "16"),
        ("ATLAS_EXTRACTING_FACTS_PREFETCH", "20"),
        ("ATLAS_EXTRACTING_FACTS_ATTEMPTS", "2"),
    ];
    let config = read_with(file, &own).unwrap();
    let (facts, graph) = (config.stage(Stage::ExtractingFacts), config.stage(Stage::BuildingGraph));
    assert_eq!((facts.slots, facts.prefetch, facts.retries.attempts), (16, 20, 2));
    assert_eq!(graph.retries.attempts, 7);
}

#[test]
fn a_refusal_of_the_file_names_key_and_file() {
    let refused = |file: &str| read_with(file, &[]).unwrap_err().to_string();
    assert_eq!(
        refused("attempts = 0"),
        "attempts in atlas-sync.toml is \"0\": it must be a number from 1 to 100"
    );
    let own = refused("[building_graph]\nslots = 4\nprefetch = 3");
    assert!(own.starts_with("building_graph.prefetch in atlas-sync.toml is \"3\""), "{own}");
}

#[test]
fn the_effective_configuration_tells_its_sources_and_no_password() {
    let key = "c0ffee00".repeat(8);
    let variables = [("QUEUE_URL", "amqp://atlas:hunter2@rabbit/%2f"), ("ATLAS_MASTER_KEY", &key)];
    let file =
        "database_url = \"postgres://atlas:hunter3@db/atlas\"\n[building_graph]\nslots = 5\n";
    let all = values(file, &variables).unwrap().all();
    let told = |name: &str| {
        let one = all.iter().find(|one| one.setting.key_of(one.stage) == name).unwrap();
        (one.value.clone(), one.source.to_string())
    };
    let of = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(told("queue_url"), of("amqp://…@rabbit/%2f", "from QUEUE_URL"));
    assert_eq!(told("database_url"), of("postgres://…@db/atlas", "from atlas-sync.toml"));
    assert_eq!(told("master_key"), of("(set)", "from ATLAS_MASTER_KEY"));
    assert_eq!(told("lease_seconds"), of("10", "default"));
    assert_eq!(told("building_graph.slots"), of("5", "from atlas-sync.toml"));
    assert_eq!(told("generating_wiki.slots"), of("2", "as for all stages"));
    let everything = format!("{all:?}");
    assert!(!everything.contains("hunter") && !everything.contains("c0ffee"));
}

/// A name that two settings had would set both.
#[test]
fn no_two_settings_share_a_name() {
    let names: Vec<String> =
        variables().chain(names::all().map(|(s, one)| one.key_of(s))).collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len());
}

#[test]
fn the_documented_file_is_that_of_the_table() {
    let text = include_str!("../../../../deploy/atlas-sync.toml");
    assert_eq!(
        text,
        documented_file(),
        "`cargo run -- config --template > deploy/atlas-sync.toml` brings it up to date"
    );
}

/// Everything in it stands behind a mark: without the marks it is a file that says all of it.
#[test]
fn the_documented_file_has_every_setting_with_its_default_and_sets_none() {
    let text = documented_file();
    assert!(
        values(&text, &[])
            .unwrap()
            .all()
            .iter()
            .all(|one| { matches!(one.source, Source::Default | Source::General) })
    );
    let marked = text.lines().filter_map(|line| line.strip_prefix("# "));
    let entries = marked.filter(|line| line.starts_with('[') || line.contains(" = "));
    let unmarked = entries.collect::<Vec<_>>().join("\n");
    let all = values(&unmarked, &[]).unwrap();
    for one in all.all() {
        let expected = match one.setting.default {
            // Nothing said is nothing set.
            "" if one.stage.is_none() => Source::Default,
            "" => Source::General,
            _ => Source::File("atlas-sync.toml".to_owned()),
        };
        assert_eq!((one.source, one.value.as_str()), (expected, one.setting.default));
    }
    let (said, unsaid) = (Config::from_values(&all).unwrap(), read(&[]).unwrap());
    assert_eq!(format!("{said:?}"), format!("{unsaid:?}"));
}

#[test]
fn the_readme_names_only_settings_with_their_defaults() {
    let readme = include_str!("../../../../README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<_> = rows.filter(|row| row.contains("ATLAS_") || row.contains("_URL`")).collect();
    assert!(rows.len() > 8);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (name, default) = (cells[1], cells[2]);
        let setting = names::all().map(|(_, setting)| setting).find(|one| one.variable == name);
        assert_eq!(setting.map(|setting| setting.default), Some(default), "{name}");
    }
}
