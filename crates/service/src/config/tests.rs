//! What a process is told, and how it is refused.

use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::from_variables(&variables)
}

#[test]
fn the_defaults_are_the_embedded_service_on_loopback() {
    let config = read(&[]).unwrap();
    assert!(config.is_loopback());
    assert_eq!(&*config.database_url, "sqlite:data/atlas-sync.db");
    assert_eq!(config.data_folder(), PathBuf::from("data"));
}

#[test]
fn a_refusal_names_the_variable_and_what_it_must_be() {
    let error = read(&[("ATLAS_SLOTS", "many")]).unwrap_err();
    assert_eq!(error.to_string(), "ATLAS_SLOTS is \"many\": it must be a number from 1 to 256");
    assert!(matches!(read(&[("ATLAS_LISTEN", "here")]), Err(ConfigError::Setting { .. })));
    assert!(matches!(read(&[("ATLAS_LEASE_SECONDS", "0")]), Err(ConfigError::Setting { .. })));
    let error = read(&[("QUEUE_URL", "kafka://user:secret@x")]).unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn what_lives_in_one_process_is_refused_to_a_part_of_the_whole() {
    let error = read(&[("ATLAS_ROLES", "gateway, scheduler")]).unwrap_err();
    assert!(error.to_string().starts_with("DATABASE_URL is sqlite:"), "{error}");
    let servers = [("DATABASE_URL", "postgres://db/atlas"), ("PROGRESS_URL", "redis://redis")];
    let roles = [("ATLAS_ROLES", "graph-worker")];
    let error = read(&[&servers[..], &roles[..]].concat()).unwrap_err();
    assert!(error.to_string().starts_with("QUEUE_URL is memory:"), "{error}");
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
fn an_empty_variable_is_as_good_as_none() {
    assert!(read(&[("ATLAS_LISTEN", ""), ("ATLAS_API_KEY_FILE", "")]).is_ok());
}

fn read_with(file: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let values = Values::from_variables(variables).with_file("atlas-sync.toml", file)?;
    Config::from_values(&values)
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
    let file = "[extracting_facts]\nslots = 8\ntime_limit_seconds = 30\n";
    let config = read_with(file, &[("ATLAS_SLOTS", "4")]).unwrap();
    let (extracting, graph) = (config.stage(Stage::ExtractingFacts), config.stage(Stage::BuildingGraph));
    assert_eq!((extracting.slots, extracting.prefetch, graph.slots), (8, 8, 4));
    assert_eq!(extracting.time_limit, Duration::from_secs(30));
    let of_stage = [("ATLAS_EXTRACTING_FACTS_SLOTS", "16"), ("ATLAS_EXTRACTING_FACTS_PREFETCH", "20")];
    let config = read_with(file, &of_stage).unwrap();
    assert_eq!(config.stage(Stage::ExtractingFacts).slots, 16);
    assert_eq!(config.stage(Stage::ExtractingFacts).prefetch, 20);
}

#[test]
fn a_refusal_of_the_file_names_key_and_file() {
    let refused = |file: &str| read_with(file, &[]).unwrap_err().to_string();
    assert_eq!(
        refused("attempts = 0"),
        "attempts in atlas-sync.toml is \"0\": it must be a number from 1 to 100"
    );
    let prefetch = refused("[building_graph]\nslots = 4\nprefetch = 3");
    assert!(prefetch.starts_with("building_graph.prefetch in atlas-sync.toml is \"3\""), "{prefetch}");
    let limit = refused("time_limit_seconds = 60");
    assert!(limit.starts_with("time_limit_seconds in atlas-sync.toml is \"60\""), "{limit}");
    let stage = read(&[("ATLAS_GENERATING_WIKI_SLOTS", "0")]).unwrap_err().to_string();
    assert!(stage.starts_with("ATLAS_GENERATING_WIKI_SLOTS is \"0\""), "{stage}");
    assert!(read(&[("ATLAS_PREFIX", "a:b")]).is_err());
}

#[test]
fn the_effective_configuration_tells_its_sources_and_no_password() {
    let variables = [("QUEUE_URL".to_owned(), "amqp://atlas:hunter2@rabbit/%2f".to_owned())];
    let file = "database_url = \"postgres://atlas:hunter3@db/atlas\"\n[building_graph]\nslots = 5\n";
    let values = Values::from_variables(variables.into()).with_file("x.toml", file).unwrap();
    let all = values.all();
    let told = |name: &str| {
        let one = all.iter().find(|one| one.name() == name).unwrap();
        (one.value.clone(), one.source.to_string())
    };
    let of = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(told("queue_url"), of("amqp://…@rabbit/%2f", "from QUEUE_URL"));
    assert_eq!(told("database_url"), of("postgres://…@db/atlas", "from x.toml"));
    assert_eq!(told("window"), of("32", "default"));
    assert_eq!(told("building_graph.slots"), of("5", "from x.toml"));
    assert_eq!(told("generating_wiki.slots"), of("2", "as for all stages"));
    assert!(!format!("{all:?}").contains("hunter"));
}

#[test]
fn the_documented_file_has_every_setting_with_its_default_and_changes_nothing() {
    let text = include_str!("../../../../deploy/atlas-sync.toml");
    // Everything in it stands behind a mark: without the marks it is a file that says all of it.
    let is_entry = |line: &str| line.contains(" = ") || line.starts_with('[');
    let marked = text.lines().filter_map(|line| line.strip_prefix("# "));
    let unmarked: Vec<_> = marked.filter(|line| is_entry(line) && !line.ends_with('.')).collect();
    let values = Values::default().with_file("example", &unmarked.join("\n")).unwrap();
    assert_eq!(Config::from_values(&values).unwrap(), read(&[]).unwrap());
    for one in values.all() {
        if one.setting.default.is_empty() && one.value.is_empty() {
            let line = format!("{} = \"\"", one.setting.key);
            assert!(unmarked.contains(&line.as_str()), "{line}");
        } else {
            assert_eq!(one.source.to_string(), "from example", "{}", one.name());
        }
        assert!(text.contains(one.setting.variable), "{}", one.setting.variable);
    }
    assert_eq!(read_with(text, &[]).unwrap(), read(&[]).unwrap(), "as it is it says nothing");
}
