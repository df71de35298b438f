//! Charts and versions as JSON, and the removal of a version.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::audit::About;
use super::error::ApiError;
use super::extract::{AtLeast, Captures, Page, Reading};
use super::{body, reply};
use crate::audit::Subject;
use crate::chart::range::VersionRange;
use crate::index::{Index, VersionRef};
use crate::repository::Reader;

/// `GET /api/charts`: all versions of some or all charts, by name.
pub(super) async fn list(
    Reading(repository): Reading,
    AtLeast(generation): AtLeast,
    page: Page,
    method: Method,
) -> Result<Response, ApiError> {
    let view = repository.current(generation).await?;
    let list = view.index.list_body(page.offset, page.limit);
    let response = reply::json_body(list.len(), body::rendered(&list));
    let response = reply::at_generation(response, view.generation);
    Ok(reply::for_method(&method, response))
}

/// `GET /api/charts/{name}`: all versions of a chart, newest first.
pub(super) async fn chart(
    Reading(repository): Reading,
    Captures(name): Captures<String>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, None));
    let find = |index: &Index| index.chart_body(&name).ok_or(ApiError::ChartNotFound);
    let (generation, list) = look(&repository, generation, find).await?;
    let response = reply::json_body(list.len(), body::rendered(&list));
    Ok(reply::for_method(
        &method,
        reply::at_generation(response, generation),
    ))
}

/// `GET /api/charts/{name}/{version}`: one version, named exactly, as `latest`, or by a constraint.
pub(super) async fn version(
    Reading(repository): Reading,
    Captures((name, wanted)): Captures<(String, String)>,
    AtLeast(generation): AtLeast,
    about: About,
    method: Method,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&wanted)));
    let find = |index: &Index| find_version(index, &name, &wanted);
    let (generation, found) = look(&repository, generation, find).await?;
    let response = reply::json_text(StatusCode::OK, to_json(&found)?.to_owned());
    Ok(reply::for_method(
        &method,
        reply::at_generation(response, generation),
    ))
}

/// What the audit log says of a path that names a chart, as the path has it.
pub(super) fn named(chart: &str, version: Option<&str>) -> Subject {
    Subject {
        chart: Some(chart.to_owned()),
        version: version.map(str::to_owned),
        ..Subject::default()
    }
}

#[derive(Serialize)]
struct Deleted {
    deleted: bool,
}

/// `DELETE /api/charts/{name}/{version}`: literal texts only, no `latest` and no constraints.
pub(super) async fn delete(
    Reading(repository): Reading,
    Captures((name, version)): Captures<(String, String)>,
    about: About,
) -> Result<Response, ApiError> {
    about.say(|| named(&name, Some(&version)));
    let committed = repository.withdraw(&name, &version).await?;
    let response = reply::json(StatusCode::OK, &Deleted { deleted: true });
    Ok(reply::at_generation(response, committed.generation))
}

/// Looks something up. What is not there is looked up again in all that other replicas have written:
/// nobody is told 404 for what an upload elsewhere was told is visible.
pub(super) async fn look<T>(
    repository: &Reader,
    generation: Option<u64>,
    find: impl Fn(&Index) -> Result<T, ApiError>,
) -> Result<(u64, T), ApiError> {
    let view = repository.current(generation).await?;
    if let Ok(found) = find(&view.index) {
        return Ok((view.generation, found));
    }
    let view = repository.caught_up().await?;
    find(&view.index).map(|found| (view.generation, found))
}

/// Finds the version that a path names: by its very text, as `latest`, or by a constraint.
pub(super) fn find_version(
    index: &Index,
    name: &str,
    wanted: &str,
) -> Result<VersionRef, ApiError> {
    let mut versions = index.versions(name);
    if versions.is_empty() {
        return Err(ApiError::NoChartName);
    }
    let position = if wanted == LATEST {
        // ChartMuseum has no latest version of a chart with pre-releases only.
        let release = versions.iter().position(VersionRef::is_release);
        release.or(Some(0))
    } else if let Some(position) = versions
        .iter()
        .position(|found| *found.version_text == *wanted)
    {
        Some(position)
    } else {
        let range = VersionRange::parse(wanted)
            .map_err(|_| ApiError::ImproperConstraint(wanted.to_owned()))?;
        versions.iter().position(|found| {
            let version = found.version.as_ref();
            version.is_some_and(|version| range.matches(version))
        })
    };
    match position {
        Some(position) => Ok(versions.swap_remove(position)),
        None => Err(ApiError::NoVersion {
            name: name.to_owned(),
            version: wanted.to_owned(),
        }),
    }
}

const LATEST: &str = "latest";

/// The index keeps its entries as Go writes JSON already.
fn to_json(version: &VersionRef) -> Result<&str, ApiError> {
    std::str::from_utf8(&version.json).map_err(|error| ApiError::Internal(error.into()))
}
