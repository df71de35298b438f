//! Index files as they are read: for `chartroom index --merge`.
//!
//! Helm takes a text that is valid JSON for JSON, where unknown fields are allowed, and everything
//! else for YAML, where an unknown or repeated field is an error (helm-facts 3.6).

mod field;

use serde::Deserialize;
use serde::de::IgnoredAny;

use self::field::{Names, Text, Time, Unique};
use super::{Entry, timestamp};
use crate::chart::metadata::MetadataError;
use crate::chart::yaml::{self, YamlError};
use crate::chart::{Dependency, ImportValue, Maintainer, Metadata};

/// What an index file may cost to read. Helm itself has no limits; an index of this size would take
/// it minutes and many gigabytes.
const BUDGET: yaml::Budget = yaml::Budget {
    bytes: 1 << 30,
    nodes: 100_000_000,
    depth: 128,
    repeated: 256 << 20,
};

/// Why a file cannot be read as an index.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// No bytes at all.
    #[error("the index file is empty")]
    Empty,
    /// Not YAML, or not an index.
    #[error("cannot read the index file as YAML")]
    Yaml(#[source] YamlError),
    /// JSON, but not an index.
    #[error("cannot read the index file as JSON")]
    Json(#[source] serde_json::Error),
    /// Neither JSON nor UTF-8.
    #[error("the index file is not UTF-8")]
    Encoding,
    /// A field that Helm does not know, in YAML.
    #[error("unknown field `{field}` in {place} of the index file")]
    UnknownField {
        /// The field.
        field: String,
        /// What has it.
        place: String,
    },
    /// No `apiVersion` at the top.
    #[error("the index file has no `apiVersion`")]
    NoApiVersion,
}

/// An entry that Helm leaves out.
#[derive(Debug, thiserror::Error)]
#[error("entry {version:?} of chart {chart:?}")]
pub struct SkippedEntry {
    /// The key in the file's map of charts.
    pub chart: String,
    /// The version, as far as there is one.
    pub version: String,
    /// What is wrong.
    pub source: MetadataError,
}

/// An index file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IndexFile {
    api_version: Text,
    entries: Unique<Option<Vec<Option<EntryDocument>>>>,
    #[serde(flatten)]
    #[expect(dead_code, reason = "reading them checks their kinds")]
    ignored: IgnoredFields,
    #[serde(flatten)]
    unknown: Names,
}

/// Fields whose kinds are checked, and that are then dropped, as Helm does when it merges.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct IgnoredFields {
    generated: Time,
    public_keys: Option<Vec<Text>>,
    annotations: Unique<Text>,
    server_info: Option<Names>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EntryDocument {
    name: Text,
    home: Text,
    sources: Option<Vec<Text>>,
    version: Text,
    description: Text,
    keywords: Option<Vec<Text>>,
    maintainers: Option<Vec<Option<MaintainerDocument>>>,
    icon: Text,
    api_version: Text,
    condition: Text,
    tags: Text,
    app_version: Text,
    deprecated: Option<bool>,
    annotations: Unique<Text>,
    kube_version: Text,
    dependencies: Option<Vec<Option<DependencyDocument>>>,
    #[serde(rename = "type")]
    kind: Text,
    urls: Option<Vec<Text>>,
    created: Time,
    removed: Option<bool>,
    digest: Text,
    checksum: Text,
    engine: Text,
    tiller_version: Text,
    url: Text,
    #[serde(flatten)]
    unknown: Names,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MaintainerDocument {
    name: Text,
    email: Text,
    url: Text,
    #[serde(flatten)]
    unknown: Names,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct DependencyDocument {
    name: Text,
    version: Text,
    repository: Text,
    condition: Text,
    tags: Option<Vec<Text>>,
    enabled: Option<bool>,
    import_values: Option<Vec<ImportValue>>,
    alias: Text,
    #[serde(flatten)]
    unknown: Names,
}

impl IndexFile {
    /// Reads an index file.
    ///
    /// # Errors
    /// When Helm would refuse the file as a whole.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.is_empty() {
            return Err(DocumentError::Empty);
        }
        let file = if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
            // Through a value, in which the last of several fields of one name wins.
            let value: serde_json::Value =
                serde_json::from_slice(bytes).map_err(DocumentError::Json)?;
            let file: Option<Self> = serde_json::from_value(value).map_err(DocumentError::Json)?;
            file.unwrap_or_default()
        } else {
            let text = std::str::from_utf8(bytes).map_err(|_| DocumentError::Encoding)?;
            let file: Option<Self> = yaml::from_str(text, BUDGET).map_err(DocumentError::Yaml)?;
            let file = file.unwrap_or_default();
            file.check_fields()?;
            file
        };
        if file.api_version.0.is_empty() {
            return Err(DocumentError::NoApiVersion);
        }
        Ok(file)
    }

    /// Returns the entries, sanitised and checked as Helm does when it reads them, and those that it
    /// leaves out. The charts are in byte order; their versions are in the order of the file.
    pub fn into_entries(self) -> (Vec<Entry>, Vec<SkippedEntry>) {
        let mut entries = Vec::new();
        let mut skipped = Vec::new();
        for (chart, versions) in self.entries.0 {
            for document in versions.into_iter().flatten().flatten() {
                let version = document.version.0.clone();
                match document.into_entry() {
                    Ok(entry) => entries.push(entry),
                    Err(source) => skipped.push(SkippedEntry {
                        chart: chart.clone(),
                        version,
                        source,
                    }),
                }
            }
        }
        (entries, skipped)
    }

    fn check_fields(&self) -> Result<(), DocumentError> {
        check(&self.unknown, "the top level")?;
        for (chart, versions) in &self.entries.0 {
            for entry in versions.iter().flatten().flatten() {
                check(&entry.unknown, &format!("an entry of chart {chart:?}"))?;
                for maintainer in entry.maintainers.iter().flatten().flatten() {
                    check(
                        &maintainer.unknown,
                        &format!("a maintainer of chart {chart:?}"),
                    )?;
                }
                for dependency in entry.dependencies.iter().flatten().flatten() {
                    check(
                        &dependency.unknown,
                        &format!("a dependency of chart {chart:?}"),
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn check(unknown: &Names, place: &str) -> Result<(), DocumentError> {
    match unknown.0.first() {
        None => Ok(()),
        Some(field) => Err(DocumentError::UnknownField {
            field: field.clone(),
            place: place.to_owned(),
        }),
    }
}

impl EntryDocument {
    fn into_entry(self) -> Result<Entry, MetadataError> {
        let maintainers = self.maintainers.unwrap_or_default().into_iter();
        let maintainers: Option<Vec<Maintainer>> = maintainers
            .map(|maintainer| Some(maintainer?.into()))
            .collect();
        let dependencies = self.dependencies.unwrap_or_default().into_iter();
        let dependencies: Option<Vec<Dependency>> = dependencies
            .map(|dependency| Some(dependency?.into()))
            .collect();
        let metadata = Metadata {
            name: self.name.0,
            home: self.home.0,
            sources: texts(self.sources),
            version: self.version.0,
            description: self.description.0,
            keywords: texts(self.keywords),
            maintainers: maintainers.ok_or(MetadataError::MaintainerMissing)?,
            icon: self.icon.0,
            api_version: self.api_version.0,
            condition: self.condition.0,
            tags: self.tags.0,
            app_version: self.app_version.0,
            deprecated: self.deprecated.unwrap_or_default(),
            annotations: self
                .annotations
                .0
                .into_iter()
                .map(|(key, text)| (key, text.0))
                .collect(),
            kube_version: self.kube_version.0,
            dependencies: dependencies.ok_or(MetadataError::DependencyMissing)?,
            kind: self.kind.0,
        };
        Ok(Entry {
            metadata: validated(metadata)?,
            urls: texts(self.urls),
            created: self.created.0.unwrap_or_else(timestamp::zero),
            digest: self.digest.0,
            removed: self.removed.unwrap_or_default(),
            checksum: self.checksum.0,
            engine: self.engine.0,
            tiller_version: self.tiller_version.0,
            url: self.url.0,
        })
    }
}

/// Sanitises and checks `metadata`, and lets the one error pass that Helm tolerates in an index: some
/// tools leave out the aliases of dependencies, so that two have the same name.
fn validated(metadata: Metadata) -> Result<Metadata, MetadataError> {
    match metadata.clone().validated() {
        Err(MetadataError::DependencyTwice(_)) => {}
        checked => return checked,
    }
    let mut dependencies = Vec::with_capacity(metadata.dependencies.len());
    for dependency in metadata.dependencies.clone() {
        let alone = Metadata {
            dependencies: vec![dependency],
            ..metadata.clone()
        };
        dependencies.append(&mut alone.validated()?.dependencies);
    }
    let without = Metadata {
        dependencies: Vec::new(),
        ..metadata
    };
    Ok(Metadata {
        dependencies,
        ..without.validated()?
    })
}

impl From<MaintainerDocument> for Maintainer {
    fn from(document: MaintainerDocument) -> Self {
        Self {
            name: document.name.0,
            email: document.email.0,
            url: document.url.0,
        }
    }
}

impl From<DependencyDocument> for Dependency {
    fn from(document: DependencyDocument) -> Self {
        Self {
            name: document.name.0,
            version: document.version.0,
            repository: document.repository.0,
            condition: document.condition.0,
            tags: texts(document.tags),
            enabled: document.enabled.unwrap_or_default(),
            import_values: document.import_values.unwrap_or_default(),
            alias: document.alias.0,
        }
    }
}

fn texts(list: Option<Vec<Text>>) -> Vec<String> {
    list.unwrap_or_default()
        .into_iter()
        .map(|text| text.0)
        .collect()
}

#[cfg(test)]
mod tests;
