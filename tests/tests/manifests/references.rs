//! What one object says of another, and of the programs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use service::{Config, ConfigError, Role};

use crate::kubernetes::name;

/// Longest that clients may hold on to a process that has stopped working, in seconds.
pub(crate) const GOODBYE: u64 = 2;

/// Every object, and the secrets that a document has made.
struct All<'o> {
    objects: &'o [Value],
    /// Keys, by secret.
    secrets: BTreeMap<&'o str, BTreeSet<&'o str>>,
}

/// What is wrong between objects that are applied together.
pub(crate) fn faults(objects: &[Value], document: &str) -> Vec<String> {
    let all = All { objects, secrets: secrets(document) };
    let mut faults = Vec::new();
    for object in objects {
        let mut found = Vec::new();
        match object["kind"].as_str().unwrap_or_default() {
            "Deployment" => {
                all.pods(object, &mut found);
                own_pods(object, &mut found);
                all.settings(object, &mut found);
            }
            "Job" => all.pods(object, &mut found),
            "Service" => {
                let pods = all.selected(&object["spec"]["selector"], &mut found);
                ports(&pods, list(&object["spec"]["ports"]), "targetPort", &mut found);
            }
            "NetworkPolicy" => {
                let pods = all.selected(&object["spec"]["podSelector"]["matchLabels"], &mut found);
                for rule in list(&object["spec"]["ingress"]) {
                    ports(&pods, list(&rule["ports"]), "port", &mut found);
                }
            }
            "PodDisruptionBudget" => {
                all.selected(&object["spec"]["selector"]["matchLabels"], &mut found);
            }
            "ConfigMap" => all.names_of(&object["data"], &mut found),
            "ScaledObject" => all.scaling(&object["spec"], &mut found),
            "TriggerAuthentication" => {
                for secret in list(&object["spec"]["secretTargetRef"]) {
                    all.secret(&secret["name"], Some(&secret["key"]), &mut found);
                }
            }
            _ => {}
        }
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", name(object))));
    }
    faults
}

/// Secrets that the commands of a document make, with their keys.
fn secrets(document: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let made = document.split("create secret generic ").skip(1);
    made.map(|command| {
        let command = command.split("kubectl").next().unwrap_or_default();
        let keys = command.split("--from-literal=").skip(1);
        let keys = keys.filter_map(|literal| literal.split('=').next());
        (command.split_whitespace().next().unwrap_or_default(), keys.collect())
    })
    .collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether labels have all of those that a selector names.
fn matches(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().filter(|wanted| !wanted.is_empty());
    wanted.is_some_and(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value))
}

/// Deployments select the pods that they make, and spread them.
fn own_pods(deployment: &Value, faults: &mut Vec<String>) {
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    if !matches(&deployment["spec"]["selector"]["matchLabels"], labels) {
        faults.push("selects none of its own pods".to_owned());
    }
    for spread in list(&deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]) {
        if !matches(&spread["labelSelector"]["matchLabels"], labels) {
            faults.push("spreads none of its own pods".to_owned());
        }
    }
}

/// Ports, by name or number, are such as the pods' containers have.
fn ports(pods: &[&Value], wanted: &[Value], field: &str, faults: &mut Vec<String>) {
    for port in wanted.iter().map(|wanted| &wanted[field]) {
        let has = |of: &Value| of["name"] == *port || of["containerPort"] == *port;
        let pod_has = |pod: &&Value| {
            list(&pod["spec"]["containers"]).iter().any(|one| list(&one["ports"]).iter().any(has))
        };
        if !pods.iter().all(pod_has) {
            faults.push(format!("no container has the port {port}"));
        }
    }
}

impl<'o> All<'o> {
    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &'o Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    fn has(&self, kind: &'static str, name: &Value) -> bool {
        self.of_kind(kind).any(|object| object["metadata"]["name"] == *name)
    }

    /// The pods that a selector finds.
    fn selected(&self, selector: &Value, faults: &mut Vec<String>) -> Vec<&'o Value> {
        let pods = self.of_kind("Deployment").map(|object| &object["spec"]["template"]);
        let pods: Vec<_> =
            pods.filter(|pod| matches(selector, &pod["metadata"]["labels"])).collect();
        if pods.is_empty() {
            faults.push(format!("selects no pod by {selector}"));
        }
        pods
    }

    fn secret(&self, name: &Value, key: Option<&Value>, faults: &mut Vec<String>) {
        let keys = self.secrets.get(text(name));
        match key {
            None if keys.is_none() => {
                faults.push(format!("nothing makes the secret {}", text(name)));
            }
            Some(key) if !keys.is_some_and(|keys| keys.contains(text(key))) => {
                faults.push(format!("nothing makes the secret {} with {}", text(name), text(key)));
            }
            _ => {}
        }
    }

    /// What the pods of a template need.
    fn pods(&self, object: &Value, faults: &mut Vec<String>) {
        let pod = &object["spec"]["template"]["spec"];
        let volumes = list(&pod["volumes"]);
        for secret in volumes.iter().map(|volume| &volume["secret"]).filter(|one| one.is_object()) {
            for item in list(&secret["items"]) {
                self.secret(&secret["secretName"], Some(&item["key"]), faults);
            }
        }
        for container in list(&pod["containers"]) {
            for source in list(&container["envFrom"]) {
                let (secret, map) = (&source["secretRef"]["name"], &source["configMapRef"]["name"]);
                if secret.is_string() {
                    self.secret(secret, None, faults);
                } else if !self.has("ConfigMap", map) {
                    faults.push(format!("there is no config map {}", text(map)));
                }
            }
            for mount in list(&container["volumeMounts"]) {
                if !volumes.iter().any(|volume| volume["name"] == mount["name"]) {
                    faults.push(format!("there is no volume {}", text(&mount["name"])));
                }
            }
            let own = std::slice::from_ref(&object["spec"]["template"]);
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let asked = std::slice::from_ref(&container[probe]["httpGet"]);
                if asked[0].is_object() {
                    ports(&own.iter().collect::<Vec<_>>(), asked, "port", faults);
                }
            }
        }
    }

    /// A worker that is scaled, and with whose rights its queue is asked.
    fn scaling(&self, spec: &Value, faults: &mut Vec<String>) {
        let target = &spec["scaleTargetRef"]["name"];
        if !self.has("Deployment", target) {
            faults.push(format!("there is no deployment {}", text(target)));
        }
        for trigger in list(&spec["triggers"]) {
            let name = &trigger["authenticationRef"]["name"];
            if !self.has("TriggerAuthentication", name) {
                faults.push(format!("there is no trigger authentication {}", text(name)));
            }
        }
    }

    /// Whether the programs know what they are told.
    fn names_of(&self, data: &Value, faults: &mut Vec<String>) {
        faults.extend(configured(&variables(data)).err().map(|error| error.to_string()));
    }

    /// Whether a program starts with what its container is told.
    fn settings(&self, deployment: &Value, faults: &mut Vec<String>) {
        let pod = &deployment["spec"]["template"]["spec"];
        let mut told = BTreeMap::new();
        for map in self.of_kind("ConfigMap") {
            told.extend(variables(&map["data"]));
        }
        for variable in list(&pod["containers"][0]["env"]) {
            told.insert(text(&variable["name"]).to_owned(), text(&variable["value"]).to_owned());
        }
        match configured(&told) {
            Err(error) => faults.push(error.to_string()),
            Ok(config) => {
                let given = pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(0);
                if given <= config.grace.as_secs() + GOODBYE {
                    faults.push(format!(
                        "is killed before {} s of grace are over",
                        config.grace.as_secs()
                    ));
                }
            }
        }
    }
}

fn variables(data: &Value) -> BTreeMap<String, String> {
    let data = data.as_object().into_iter().flatten();
    data.map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
}

/// The configuration of a program of one role that is told this, and where its servers are.
pub(crate) fn configured(told: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
    let servers = [
        ("DATABASE_URL", "postgres://server"),
        ("QUEUE_URL", "amqp://server"),
        ("PROGRESS_URL", "redis://server"),
    ];
    let servers = servers.map(|(name, url)| (name.to_owned(), url.to_owned()));
    let mut all = BTreeMap::from(servers);
    all.extend(told.clone());
    Config::from_variables(&all)?.with_roles([Role::Gateway])
}
