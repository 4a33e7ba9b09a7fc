//! Metrics, as Prometheus reads them from running processes.

use std::collections::{BTreeMap, BTreeSet};

/// What `/metrics` of some processes says.
#[derive(Debug, Default)]
pub struct Scraped {
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// The parts of a histogram.
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

impl Scraped {
    /// Reads processes by their health addresses. Every metric has to say what it is.
    pub async fn from(addresses: impl IntoIterator<Item = &str>) -> Self {
        let mut scraped = Self::default();
        for address in addresses {
            let url = format!("http://{address}/metrics");
            let text = reqwest::get(url).await.unwrap().text().await.unwrap();
            let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP "));
            let described: BTreeSet<_> =
                helps.map(|help| help.split(' ').next().unwrap()).collect();
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            for series in lines.map(Series::read) {
                let name = series.name.as_str();
                let name = PARTS.iter().fold(name, |name, part| name.trim_end_matches(part));
                assert!(described.contains(name), "{name} says nothing about itself:\n{text}");
                scraped.series.push(series);
            }
        }
        scraped
    }

    /// The sum of all series of a name that have these labels; there has to be one.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let of_name = self.series.iter().filter(|series| series.name == name);
        let said = |series: &&Series| {
            labels
                .iter()
                .all(|(key, value)| series.labels.get(*key).is_some_and(|said| said == value))
        };
        let values: Vec<_> = of_name.filter(said).map(|series| series.value).collect();
        assert!(!values.is_empty(), "no {name} with {labels:?}");
        values.iter().sum()
    }

    /// Whether any series of a name has these labels, whatever they say where a value is left out.
    #[must_use]
    pub fn tells(&self, name: &str, labels: &[(&str, Option<&str>)]) -> bool {
        let said = |series: &Series| {
            labels.iter().all(|(key, wanted)| {
                series.labels.get(*key).is_some_and(|said| wanted.is_none_or(|value| said == value))
            })
        };
        self.series.iter().any(|series| series.name == name && said(series))
    }
}

impl Series {
    /// `name{label="value",…} 1`; no label of ours has a value that needs escaping.
    fn read(line: &str) -> Self {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
        let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty());
        let label = |label: &str| {
            let (key, value) = label.split_once("=\"").unwrap();
            (key.to_owned(), value.trim_end_matches('"').to_owned())
        };
        Self {
            name: name.to_owned(),
            labels: labels.map(label).collect(),
            value: value.parse().unwrap(),
        }
    }
}
