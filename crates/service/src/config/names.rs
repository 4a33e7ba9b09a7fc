//! Names that mean something, and what was meant by one that does not.

use std::collections::BTreeMap;

use domain::Stage;

use super::{ConfigError, setting::Setting, table::TABLE};

/// What all variables begin with but those that other programs know by the same name.
const OURS: &str = "ATLAS_";

/// Variables of ours that are no settings: of the command line, of docker-compose.yml, and of the scripts.
const OTHERS: [&str; 7] = [
    "ATLAS_CONFIG",
    "ATLAS_SERVER",
    "ATLAS_API_KEY",
    "ATLAS_PORT",
    "ATLAS_SERVICES",
    "ATLAS_CACHE",
    "ATLAS_REQUIRE_EXPORT",
];

/// What those of tests begin with.
const OF_TESTS: [&str; 2] = ["ATLAS_TEST_", "ATLAS_MEASURE_"];

/// Names less alike than this are not suggested.
const ALIKE: f64 = 0.8;

/// Every setting, once for all stages and once for each that can have its own.
pub(super) fn all() -> impl Iterator<Item = (Option<Stage>, &'static Setting)> {
    let settings = || TABLE.iter().flat_map(|group| group.settings);
    let of = move |stage| {
        settings().filter(|setting| setting.by_stage).map(move |setting| (Some(stage), setting))
    };
    settings().map(|setting| (None, setting)).chain(Stage::ALL.into_iter().flat_map(of))
}

/// Every variable that sets something.
pub fn variables() -> impl Iterator<Item = String> {
    all().map(|(stage, setting)| setting.variable_of(stage))
}

/// Refuses a variable that is named as ours are and means nothing: it was meant to set something.
pub(super) fn check(variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let ours = variables.keys().filter(|name| name.starts_with(OURS));
    for name in ours {
        let known = self::variables().any(|variable| variable == *name)
            || OTHERS.contains(&name.as_str())
            || OF_TESTS.iter().any(|begin| name.starts_with(begin))
            || is_of_a_service(name, variables);
        if !known {
            let plain = |name: &str| name.trim_start_matches(OURS).to_owned();
            let names = self::variables().filter(|variable| variable.starts_with(OURS));
            let meant = nearest(&plain(name), names.map(|name| plain(&name)));
            return Err(ConfigError::UnknownVariable {
                name: name.clone(),
                suggestion: meant.map(|name| format!("{OURS}{name}")),
            });
        }
    }
    Ok(())
}

/// Kubernetes tells a container of every service beside it, and names variables after it.
fn is_of_a_service(name: &str, variables: &BTreeMap<String, String>) -> bool {
    let services = variables.keys().filter_map(|name| name.strip_suffix("_SERVICE_HOST"));
    services
        .filter_map(|service| name.strip_prefix(service))
        .any(|rest| rest.starts_with("_SERVICE_") || rest.starts_with("_PORT"))
}

/// The name that is most like another one, if any is.
pub(super) fn nearest(wanted: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let alike = names.map(|name| (strsim::jaro_winkler(wanted, &name), name));
    let (likeness, name) = alike.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likeness > ALIKE).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(names: &[&str]) -> Option<String> {
        let variables = names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        check(&variables).err().map(|error| error.to_string())
    }

    #[test]
    fn a_variable_that_means_nothing_is_refused_with_the_nearest_name() {
        let meant = |name| refused(&[name]).unwrap();
        assert_eq!(meant("ATLAS_SLOT"), "ATLAS_SLOT is not a setting: did you mean ATLAS_SLOTS?");
        assert!(meant("ATLAS_LEASE_SECS").ends_with("did you mean ATLAS_LEASE_SECONDS?"));
        let own = meant("ATLAS_EXTRACT_FACTS_SLOTS");
        assert!(own.ends_with("did you mean ATLAS_EXTRACTING_FACTS_SLOTS?"), "{own}");
        assert_eq!(meant("ATLAS_ZEBRA"), "ATLAS_ZEBRA is not a setting");
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        assert_eq!(refused(&["PATH", "ATLAS_API_KEY", "ATLAS_TEST_QUEUE_URL"]), None);
        let of_a_service = [
            "ATLAS_SYNC_GATEWAY_SERVICE_HOST",
            "ATLAS_SYNC_GATEWAY_SERVICE_PORT_API",
            "ATLAS_SYNC_GATEWAY_PORT_80_TCP_ADDR",
        ];
        assert_eq!(refused(&of_a_service), None);
        assert!(refused(&of_a_service[2..]).is_some());
    }
}
