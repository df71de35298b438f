//! Helm's checks on metadata, in Helm's order.

use std::collections::HashSet;

use super::decode::Draft;
use super::{Dependency, Maintainer, Metadata};
use crate::chart::sanitise::sanitise;
use crate::chart::version::ChartVersion;

/// Why Helm refuses a chart's metadata; the texts are Helm's own, which clients and scripts read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum MetadataError {
    #[error("validation: chart.metadata.name is required")]
    NameMissing,
    #[error("validation: chart.metadata.name {0:?} is not allowed")]
    NameNotAllowed(String),
    #[error("validation: chart.metadata.name {0:?} is invalid")]
    NameInvalid(String),
    #[error("validation: chart.metadata.version is required")]
    VersionMissing,
    #[error("validation: chart.metadata.version {0:?} is invalid")]
    VersionInvalid(String),
    #[error("validation: chart.metadata.type must be application or library")]
    KindInvalid,
    #[error("validation: maintainers must not contain empty or null nodes")]
    MaintainerMissing,
    #[error("validation: dependencies must not contain empty or null nodes")]
    DependencyMissing,
    #[error("validation: dependency {0:?} has disallowed characters in the alias")]
    AliasInvalid(String),
    #[error("validation: more than one dependency with name or alias {0:?}")]
    DependencyTwice(String),
}

impl Draft {
    /// Sanitises the texts and checks them as Helm does when it loads a chart.
    pub(crate) fn finish(self) -> Result<Metadata, MetadataError> {
        let Self {
            mut metadata,
            maintainers,
            dependencies,
        } = self;
        // Helm loads charts without it as those of Helm 2, which did not have the field.
        if metadata.api_version.is_empty() {
            "v1".clone_into(&mut metadata.api_version);
        }
        sanitise_texts(&mut metadata);
        check_identity(&metadata)?;
        if !matches!(&*metadata.kind, "" | "application" | "library") {
            return Err(MetadataError::KindInvalid);
        }
        metadata.maintainers = check_maintainers(maintainers)?;
        metadata.dependencies = check_dependencies(dependencies)?;
        Ok(metadata)
    }
}

impl Metadata {
    /// Sanitises and checks metadata that comes from elsewhere than a chart, such as an entry of an
    /// index that is merged: Helm does the same to each entry of an index that it reads.
    ///
    /// # Errors
    /// When `helm` would refuse the chart or skip the entry.
    pub fn validated(mut self) -> Result<Self, MetadataError> {
        let maintainers = std::mem::take(&mut self.maintainers);
        let dependencies = std::mem::take(&mut self.dependencies);
        let draft = Draft {
            metadata: self,
            maintainers: maintainers.into_iter().map(Some).collect(),
            dependencies: dependencies.into_iter().map(Some).collect(),
        };
        draft.finish()
    }
}

fn sanitise_texts(metadata: &mut Metadata) {
    let texts = [
        &mut metadata.name,
        &mut metadata.description,
        &mut metadata.home,
        &mut metadata.icon,
        &mut metadata.condition,
        &mut metadata.tags,
        &mut metadata.app_version,
        &mut metadata.kube_version,
    ];
    texts.into_iter().for_each(sanitise);
    metadata.sources.iter_mut().for_each(sanitise);
    metadata.keywords.iter_mut().for_each(sanitise);
}

fn check_identity(metadata: &Metadata) -> Result<(), MetadataError> {
    let name = &metadata.name;
    if name.is_empty() {
        return Err(MetadataError::NameMissing);
    }
    if name == "." || name == ".." {
        return Err(MetadataError::NameNotAllowed(name.clone()));
    }
    // Helm compares the name with its base name, which lets the name `/` alone through.
    if name.contains('/') {
        return Err(MetadataError::NameInvalid(name.clone()));
    }
    if metadata.version.is_empty() {
        return Err(MetadataError::VersionMissing);
    }
    if metadata.version.parse::<ChartVersion>().is_err() {
        return Err(MetadataError::VersionInvalid(metadata.version.clone()));
    }
    Ok(())
}

fn check_maintainers(
    maintainers: Vec<Option<Maintainer>>,
) -> Result<Vec<Maintainer>, MetadataError> {
    let mut checked = Vec::with_capacity(maintainers.len());
    for maintainer in maintainers {
        let mut maintainer = maintainer.ok_or(MetadataError::MaintainerMissing)?;
        sanitise(&mut maintainer.name);
        sanitise(&mut maintainer.email);
        sanitise(&mut maintainer.url);
        checked.push(maintainer);
    }
    Ok(checked)
}

fn check_dependencies(
    dependencies: Vec<Option<Dependency>>,
) -> Result<Vec<Dependency>, MetadataError> {
    let mut checked: Vec<Dependency> = Vec::with_capacity(dependencies.len());
    let mut keys = HashSet::new();
    for dependency in dependencies {
        let mut dependency = dependency.ok_or(MetadataError::DependencyMissing)?;
        sanitise(&mut dependency.name);
        sanitise(&mut dependency.version);
        sanitise(&mut dependency.repository);
        sanitise(&mut dependency.condition);
        dependency.tags.iter_mut().for_each(sanitise);
        if !dependency.alias.bytes().all(is_alias_byte) {
            return Err(MetadataError::AliasInvalid(dependency.name));
        }
        let key = if dependency.alias.is_empty() {
            dependency.name.clone()
        } else {
            dependency.alias.clone()
        };
        if !keys.insert(key.clone()) {
            return Err(MetadataError::DependencyTwice(key));
        }
        checked.push(dependency);
    }
    Ok(checked)
}

fn is_alias_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
