//! The manifests, checked without a cluster and without an engine: against the types of Kubernetes' and
//! Compose's own schemas, against each other, and against the settings of the programs.
//!
//! A checker that finds nothing proves nothing: each kind of fault is made on purpose and has to be found.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

mod compose;
mod keda;
mod kubernetes;
mod references;
mod schema;

use std::path::Path;

use serde_json::{Value, json};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The documents of YAML.
fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

/// What `kubectl apply -k` would send, as far as the base changes it.
fn base() -> Vec<Value> {
    let kustomization = documents(&read("deploy/kubernetes/kustomization.yaml")).remove(0);
    let files = kustomization["resources"].as_array().unwrap().clone();
    let objects = files.iter().flat_map(|file| {
        documents(&read(&format!("deploy/kubernetes/{}", file.as_str().unwrap())))
    });
    kubernetes::labelled(objects.collect(), &kustomization)
}

/// The object of a kind and name.
fn object<'o>(objects: &'o mut [Value], kind: &str, name: &str) -> &'o mut Value {
    let is_it = |object: &&mut Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects.iter_mut().find(is_it).unwrap()
}

/// Gives a field of an object another name.
fn rename(object: &mut Value, from: &str, to: &str) {
    let fields = object.as_object_mut().unwrap();
    let value = fields.remove(from).unwrap();
    fields.insert(to.to_owned(), value);
}

#[test]
fn the_kubernetes_base_has_no_fault() {
    let faults = kubernetes::faults(&base(), &read("deploy/README.md"));
    assert_eq!(faults, Vec::<String>::new());
}

/// Where a fault is made (kind, name and a path in it), how, and what has to be said of it.
type Fault = (&'static str, &'static str, &'static str, fn(&mut Value), &'static str);

#[test]
fn every_kind_of_fault_in_the_kubernetes_base_is_found() {
    let faults: &[Fault] = &[
        // A field that is misspelt, of another type, missing, or of another version.
        (
            "Deployment",
            "gateway",
            "/spec/template/spec/containers/0",
            |pod| rename(pod, "readinessProbe", "readynessProbe"),
            "readynessProbe is unknown",
        ),
        (
            "Deployment",
            "gateway",
            "/spec/replicas",
            |replicas| *replicas = json!("two"),
            "invalid type",
        ),
        (
            "Deployment",
            "gateway",
            "/spec",
            |spec| rename(spec, "selector", "selectors"),
            "spec.selector is missing",
        ),
        (
            "Deployment",
            "gateway",
            "/apiVersion",
            |version| *version = json!("apps/v1beta1"),
            "apps/v1beta1",
        ),
        (
            "Service",
            "gateway",
            "/spec/ports/0",
            |port| rename(port, "targetPort", "target"),
            "target is unknown",
        ),
        (
            "Job",
            "migrate",
            "/spec",
            |spec| rename(spec, "backoffLimit", "backofLimit"),
            "backofLimit is unknown",
        ),
        // Labels that nothing has.
        (
            "Deployment",
            "gateway",
            "/spec/selector/matchLabels",
            |labels| labels["app.kubernetes.io/component"] = json!("gatway"),
            "selects none of its own pods",
        ),
        (
            "Service",
            "gateway",
            "/spec/selector",
            |labels| labels["app.kubernetes.io/component"] = json!("gatway"),
            "selects no pod",
        ),
        (
            "PodDisruptionBudget",
            "scheduler",
            "/spec/selector/matchLabels",
            |labels| labels["tier"] = json!("back"),
            "selects no pod",
        ),
        (
            "NetworkPolicy",
            "gateway",
            "/spec/podSelector/matchLabels",
            |labels| labels["tier"] = json!("back"),
            "selects no pod",
        ),
        (
            "Deployment",
            "wiki-worker",
            "/spec/template/spec/topologySpreadConstraints/0/labelSelector/matchLabels",
            |labels| labels["tier"] = json!("back"),
            "spreads none of its own pods",
        ),
        // Ports that nobody listens on.
        (
            "Service",
            "gateway",
            "/spec/ports/0/targetPort",
            |port| *port = json!("apis"),
            "port \"apis\"",
        ),
        (
            "Deployment",
            "gateway",
            "/spec/template/spec/containers/0/livenessProbe/httpGet/port",
            |port| *port = json!("helth"),
            "port \"helth\"",
        ),
        (
            "NetworkPolicy",
            "gateway",
            "/spec/ingress/0/ports/0/port",
            |port| *port = json!(8490),
            "port 8490",
        ),
        // What is referred to and is not there.
        (
            "Deployment",
            "graph-worker",
            "/spec/template/spec/containers/0/envFrom/0/secretRef/name",
            |name| *name = json!("atlas-sync-url"),
            "secret atlas-sync-url",
        ),
        (
            "Deployment",
            "graph-worker",
            "/spec/template/spec/containers/0/envFrom/1/configMapRef/name",
            |name| *name = json!("atlas"),
            "config map atlas",
        ),
        (
            "Deployment",
            "gateway",
            "/spec/template/spec/volumes/2/secret/items/0/key",
            |key| *key = json!("key"),
            "secret atlas-sync with key",
        ),
        (
            "Deployment",
            "gateway",
            "/spec/template/spec/containers/0/volumeMounts/0/name",
            |name| *name = json!("temp"),
            "volume temp",
        ),
        (
            "TriggerAuthentication",
            "rabbitmq-management",
            "/spec/secretTargetRef/0/key",
            |key| *key = json!("MANAGEMENT_URL"),
            "secret atlas-sync-urls with MANAGEMENT_URL",
        ),
        (
            "ScaledObject",
            "extract-worker",
            "/spec/scaleTargetRef/name",
            |name| *name = json!("extractor"),
            "deployment extractor",
        ),
        (
            "ScaledObject",
            "extract-worker",
            "/spec/triggers/0/authenticationRef/name",
            |name| *name = json!("rabbitmq"),
            "trigger authentication rabbitmq",
        ),
        // KEDA's own fields.
        (
            "ScaledObject",
            "extract-worker",
            "/spec",
            |spec| rename(spec, "minReplicaCount", "minReplicas"),
            "minReplicas",
        ),
        (
            "ScaledObject",
            "extract-worker",
            "/spec/triggers/0/metadata",
            |metadata| rename(metadata, "queueName", "queue"),
            "queue",
        ),
        (
            "ScaledObject",
            "extract-worker",
            "/spec/triggers/0/metadata/value",
            |value| *value = json!(8),
            "expected a string",
        ),
        // Settings that no program has, or that it refuses.
        (
            "ConfigMap",
            "atlas-sync",
            "/data",
            |data| rename(data, "ATLAS_SLOTS", "ATLAS_SLOT"),
            "did you mean ATLAS_SLOTS?",
        ),
        (
            "ConfigMap",
            "atlas-sync",
            "/data/ATLAS_SLOTS",
            |slots| *slots = json!("many"),
            "ATLAS_SLOTS is \"many\"",
        ),
        (
            "Deployment",
            "gateway",
            "/spec/template/spec/containers/0/env/1/name",
            |name| *name = json!("ATLAS_MASTERKEY_FILE"),
            "did you mean ATLAS_MASTER_KEY_FILE?",
        ),
        (
            "Deployment",
            "gateway",
            "/spec/template/spec/terminationGracePeriodSeconds",
            |seconds| *seconds = json!(20),
            "is killed before",
        ),
    ];
    let readme = read("deploy/README.md");
    for (kind, name, path, make, expected) in faults {
        let mut objects = base();
        make(object(&mut objects, kind, name).pointer_mut(path).unwrap());
        let found = kubernetes::faults(&objects, &readme);
        let told = found
            .iter()
            .any(|fault| fault.starts_with(&format!("{kind} ")) && fault.contains(expected));
        assert!(told, "{expected:?} was made in {kind} {name}; found: {found:#?}");
    }
}

/// Every compose file that there is.
const COMPOSE: [&str; 3] = ["docker-compose.yml", "deploy/management.yml", "deploy/services.yml"];

#[test]
fn the_compose_files_have_no_fault() {
    for file in COMPOSE {
        assert_eq!(compose::faults(&read(file)), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn every_kind_of_fault_in_the_compose_file_is_found() {
    let text = read("docker-compose.yml");
    let mut missed = Vec::new();
    for (right, wrong, expected) in [
        ("    healthcheck:\n", "    helthcheck:\n", "helthcheck"),
        ("      retries: 30", "      retrys: 30", "retrys"),
        ("      interval: 2s", "      interval: [2s]", "invalid type"),
        ("ports: [\"127", "port: [\"127", "port"),
        ("    profiles: [tools]", "    profiles: tools", "expected a sequence"),
        ("  redis:\n    image", "  redys:\n    image", "depends on redis, which is not there"),
        ("volumes: [\"rabbitmq:/", "volumes: [\"rabbit:/", "volume rabbit"),
        ("secrets: [master-key]", "secrets: [masterkey]", "secret masterkey"),
        ("    ATLAS_SLOTS:", "    ATLAS_SLOT:", "did you mean ATLAS_SLOTS?"),
        ("${ATLAS_SLOTS:-2}", "${ATLAS_SLOTS:-many}", "ATLAS_SLOTS is \"many\""),
        ("QUEUE_URL: amqp:", "QUEUE_URL: ampq:", "QUEUE_URL is \"ampq:"),
        ("${ATLAS_SLOTS:-2}", "${ATLAS_SLOTS}", "ATLAS_SLOTS has no default"),
        ("stop_grace_period: 30s", "stop_grace_period: 20s", "is killed before"),
    ] {
        assert!(text.contains(right), "{right:?}");
        let found = compose::faults(&text.replace(right, wrong));
        if !found.iter().any(|fault| fault.contains(expected)) {
            missed.push((wrong, expected, found));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
