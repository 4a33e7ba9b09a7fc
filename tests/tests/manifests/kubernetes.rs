//! Kubernetes' objects: each against the type of its kind, then against the others.

use k8s_openapi::api::{
    apps::v1::Deployment,
    batch::v1::Job,
    core::v1::{ConfigMap, Service},
    networking::v1::NetworkPolicy,
    policy::v1::PodDisruptionBudget,
};
use serde_json::Value;

use crate::{
    keda::{ScaledObject, TriggerAuthentication},
    references,
    schema::faults_as,
};

/// What is wrong with objects that are applied together, after the secrets that a document has made.
pub(crate) fn faults(objects: &[Value], document: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for object in objects {
        let found = of_type(object);
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", name(object))));
    }
    faults.extend(references::faults(objects, document));
    faults
}

/// How an object is called in messages.
pub(crate) fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

fn of_type(object: &Value) -> Vec<String> {
    match object["kind"].as_str().unwrap_or_default() {
        "ConfigMap" => faults_as::<ConfigMap>(object),
        "Deployment" => faults_as::<Deployment>(object),
        "Job" => faults_as::<Job>(object),
        "NetworkPolicy" => faults_as::<NetworkPolicy>(object),
        "PodDisruptionBudget" => faults_as::<PodDisruptionBudget>(object),
        "Service" => faults_as::<Service>(object),
        "ScaledObject" => faults_as::<ScaledObject>(object),
        "TriggerAuthentication" => faults_as::<TriggerAuthentication>(object),
        kind => vec![format!("{kind} is a kind that this test does not know")],
    }
}

/// The objects with the labels that Kustomize adds to pods and to whatever selects them.
pub(crate) fn labelled(mut objects: Vec<Value>, kustomization: &Value) -> Vec<Value> {
    let added = &kustomization["labels"][0];
    assert_eq!(
        (&added["includeTemplates"], &added["includeSelectors"]),
        (&true.into(), &true.into())
    );
    let pairs = added["pairs"].as_object().unwrap();
    for object in &mut objects {
        for path in [
            "/spec/template/metadata/labels",
            "/spec/selector/matchLabels",
            "/spec/podSelector/matchLabels",
            "/spec/selector",
        ] {
            // A Service's selector is the labels themselves.
            let of_service = object["kind"] == "Service";
            if (path == "/spec/selector") != of_service {
                continue;
            }
            if let Some(labels) = object.pointer_mut(path).and_then(Value::as_object_mut) {
                labels.extend(pairs.clone());
            }
        }
    }
    objects
}
