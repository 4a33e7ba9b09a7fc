//! The deployment files, held against the code: what they run exists, what they set is read, and the
//! queues they count are those that are declared. No engine and no cluster is needed, or replaced.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use domain::Stage;
use serde_json::Value;
use service::Role;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The documents of a YAML file.
fn documents(path: &str) -> Vec<Value> {
    let parsed = serde_saphyr::from_multiple(&read(path));
    assert!(parsed.is_ok(), "{path}: {}", parsed.unwrap_err());
    parsed.unwrap()
}

fn manifests() -> Vec<Value> {
    let kustomization = documents("deploy/kubernetes/kustomization.yaml").remove(0);
    let files = kustomization["resources"].as_array().unwrap().clone();
    let files = files.iter().map(|file| format!("deploy/kubernetes/{}", file.as_str().unwrap()));
    files.flat_map(|file| documents(&file)).collect()
}

fn programs() -> BTreeSet<String> {
    let programs = Role::ALL.map(|role| format!("atlas-{}", role.as_str()));
    programs.into_iter().chain(["atlas-sync".to_owned()]).collect()
}

/// Variables that the programs read.
fn is_known(variable: &str) -> bool {
    // KEDA's own, and what names a pod.
    service::config::variables().any(|known| known == variable)
        || ["RABBITMQ_MANAGEMENT_URL", "HOSTNAME"].contains(&variable)
}

#[test]
fn compose_runs_one_service_a_role_with_variables_that_are_read() {
    let compose = documents("docker-compose.yml").remove(0);
    let services = compose["services"].as_object().unwrap();
    for role in Role::ALL {
        let service = &services[role.as_str()];
        assert_eq!(service["command"], format!("atlas-{}", role.as_str()), "{service}");
        for variable in service["environment"].as_object().unwrap().keys() {
            assert!(is_known(variable), "{variable}");
        }
        for needed in service["depends_on"].as_object().unwrap().keys() {
            assert!(services[needed]["healthcheck"].is_object(), "{needed}");
        }
    }
    let command = services["keys"]["command"].as_str().unwrap();
    assert!(programs().contains(command.split(' ').next().unwrap()));
    let published = |name: &&String| services[*name]["ports"].is_array();
    assert_eq!(services.keys().filter(published).collect::<Vec<_>>(), ["gateway"]);
    let port = services["gateway"]["ports"][0].as_str().unwrap();
    assert!(port.starts_with("127.0.0.1:"), "{port}");
}

#[test]
fn the_services_of_the_tests_are_those_that_the_script_asks_for() {
    let services = documents("deploy/services.yml").remove(0);
    let script = read("scripts/services");
    for (name, service) in services["services"].as_object().unwrap() {
        let port = service["ports"][0].as_str().unwrap();
        assert!(
            script.contains(&format!(" {name} {} ", port.rsplit(':').next().unwrap())),
            "{name}"
        );
    }
}

#[test]
fn kubernetes_runs_one_deployment_a_role_as_nobody_in_particular() {
    let manifests = manifests();
    let deployments: Vec<_> = manifests.iter().filter(|m| m["kind"] == "Deployment").collect();
    let names: BTreeSet<_> =
        deployments.iter().map(|m| m["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, Role::ALL.map(Role::as_str).into());
    for manifest in manifests.iter().filter(|m| m["spec"]["template"].is_object()) {
        let pod = &manifest["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        let container = &pod["containers"][0];
        let command = container["command"][0].as_str().unwrap();
        assert!(programs().contains(command), "{command}");
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert!(container["resources"]["requests"]["memory"].is_string());
        for variable in container["env"].as_array().into_iter().flatten() {
            assert!(is_known(variable["name"].as_str().unwrap()), "{variable}");
        }
    }
    for deployment in deployments {
        let name = &deployment["metadata"]["name"];
        let spec = &deployment["spec"]["template"]["spec"];
        assert_eq!(
            deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"],
            *name
        );
        assert_eq!(
            spec["containers"][0]["command"][0],
            format!("atlas-{}", name.as_str().unwrap())
        );
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let path = spec["containers"][0][probe]["httpGet"]["path"].as_str().unwrap();
            assert!(
                read("crates/service/src/health.rs").contains(&format!("\"{path}\"")),
                "{path}"
            );
        }
    }
    for map in manifests.iter().filter(|m| m["kind"] == "ConfigMap") {
        for variable in map["data"].as_object().unwrap().keys() {
            assert!(is_known(variable), "{variable}");
        }
    }
}

/// The roles that a secret with the master key is mounted for, where they look for it; as a variable nobody has it.
fn given_by_compose() -> BTreeSet<&'static str> {
    let compose = documents("docker-compose.yml").remove(0);
    let secrets = compose["secrets"].as_object().unwrap();
    assert!(secrets["master-key"]["file"].is_string(), "{secrets:?}");
    let mut given = BTreeSet::new();
    for role in Role::ALL.map(Role::as_str) {
        let service = &compose["services"][role];
        let mounted = service["secrets"].as_array().into_iter().flatten();
        let mounted: Vec<_> =
            mounted.map(|name| format!("/run/secrets/{}", name.as_str().unwrap())).collect();
        let variables = &service["environment"];
        assert!(variables["ATLAS_MASTER_KEY"].is_null(), "{role}");
        let file = variables["ATLAS_MASTER_KEY_FILE"].as_str();
        assert_eq!(file.into_iter().collect::<Vec<_>>(), mounted, "{role}");
        given.extend(file.map(|_| role));
    }
    given
}

/// The master key is nobody's business but theirs who open accounts at platforms.
#[test]
fn only_who_calls_platforms_is_given_the_master_key() {
    let callers = ["fetch-worker", "gateway"];
    assert_eq!(given_by_compose(), callers.into());
    let manifests = manifests();
    let mut given = BTreeSet::new();
    for deployment in manifests.iter().filter(|m| m["kind"] == "Deployment") {
        let name = deployment["metadata"]["name"].as_str().unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        let of = |list: &Value, name: &str| {
            list.as_array().and_then(|all| all.iter().find(|e| e["name"] == name).cloned())
        };
        let container = &pod["containers"][0];
        let Some(file) = of(&container["env"], "ATLAS_MASTER_KEY_FILE") else { continue };
        let mount = of(&container["volumeMounts"], "master-key").unwrap();
        let secret = &of(&pod["volumes"], "master-key").unwrap()["secret"];
        let path = secret["items"][0]["path"].as_str().unwrap();
        let mounted = format!("{}/{path}", mount["mountPath"].as_str().unwrap());
        assert_eq!(file["value"], mounted, "{name}");
        given.insert(name);
    }
    assert_eq!(given, callers.into());
}

#[test]
fn workers_are_scaled_by_the_queues_they_consume() {
    let scaled: Vec<_> =
        manifests().into_iter().filter(|manifest| manifest["kind"] == "ScaledObject").collect();
    let queues: BTreeSet<_> = scaled
        .iter()
        .map(|object| object["spec"]["triggers"][0]["metadata"]["queueName"].as_str().unwrap())
        .collect();
    let declared = Stage::ALL.map(|stage| format!("atlas.{}", stage.as_str()));
    assert_eq!(queues, declared.iter().map(String::as_str).collect());
    for object in &scaled {
        let target = object["spec"]["scaleTargetRef"]["name"].as_str().unwrap();
        assert!(target.parse::<Role>().is_ok(), "{target}");
    }
}

/// Names of metrics in a text, without what Prometheus adds to those of a histogram.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
    let names = words.filter(|word| word.starts_with("atlas_"));
    let parts = ["_bucket", "_sum", "_count"].iter();
    names
        .map(|name| parts.clone().fold(name, |name, part| name.trim_end_matches(part)).to_owned())
        .collect()
}

/// What the program measures: the names in quotes in all sources but the list that describes them. A bare
/// `atlas_` begins keys.
fn measured() -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let mut folders: Vec<_> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|room| room.unwrap().path().join("src"))
        .filter(|sources| sources.is_dir())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(DESCRIPTIONS) && !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(path).unwrap();
                let quoted =
                    text.split('"').filter(|word| word.starts_with("atlas_") && *word != "atlas_");
                told.extend(
                    quoted.filter(|word| !word.contains([' ', '=', '{'])).map(str::to_owned),
                );
            }
        }
    }
    told
}

/// Where every metric says what it is.
const DESCRIPTIONS: &str = "service/src/telemetry/described.rs";

#[test]
fn every_metric_is_described_and_listed_in_the_document() {
    let measured = measured();
    let described = metrics_in(&read(&format!("crates/{DESCRIPTIONS}")));
    assert_eq!(described, measured);
    assert_eq!(metrics_in(&read("deploy/README.md")), measured);
}

#[test]
fn dashboard_and_alerts_use_metrics_that_the_program_has() {
    let measured = measured();
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut used: BTreeSet<String> =
        queries.flat_map(|query| metrics_in(query["expr"].as_str().unwrap())).collect();
    let unseen = ["atlas_build_info".to_owned()].into();
    assert_eq!(measured.difference(&used).cloned().collect::<BTreeSet<_>>(), unseen);
    let alerts = documents("deploy/grafana/alerts.yaml").remove(0);
    for rule in alerts["groups"][0]["rules"].as_array().unwrap() {
        used.extend(metrics_in(rule["expr"].as_str().unwrap()));
        assert!(rule["annotations"]["description"].is_string(), "{rule}");
    }
    assert_eq!(used.difference(&measured).collect::<Vec<_>>(), Vec::<&String>::new());
}
