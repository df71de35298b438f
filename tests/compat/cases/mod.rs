//! What is asked of both servers: sections 1.4 to 1.11 of ChartMuseum's behaviour, by noun.

mod access;
mod deletions;
mod forms;
mod limits;
mod lists;
mod lookups;
mod options;
mod places;
mod provenance;
mod reads;
mod uploads;

use crate::case::Scenario;

/// Everything that is asked.
pub(crate) fn all() -> Vec<Scenario> {
    [
        reads::all(),
        lists::all(),
        lookups::all(),
        uploads::all(),
        forms::all(),
        provenance::all(),
        deletions::all(),
        limits::all(),
        options::all(),
        access::all(),
        places::all(),
    ]
    .concat()
}

/// The rows of docs/compatibility.md.
mod row {
    pub(super) const EVERY: &str = "every reply";
    pub(super) const WELCOME: &str = "`GET /`";
    pub(super) const INFO: &str = "`GET /info`";
    pub(super) const HEALTH: &str = "`GET /health`";
    pub(super) const INDEX: &str = "`GET /index.yaml`";
    pub(super) const INDEX_HEAD: &str = "`HEAD /index.yaml`";
    pub(super) const FILE: &str = "`GET /charts/{file}`";
    pub(super) const ARTIFACT_HUB: &str = "`GET /artifacthub-repo.yml`";
    pub(super) const LIST: &str = "`GET /api/charts`";
    pub(super) const CHART: &str = "`GET /api/charts/{name}`";
    pub(super) const CHART_HEAD: &str = "`HEAD /api/charts/{name}`";
    pub(super) const VERSION: &str = "`GET /api/charts/{name}/{version}`";
    pub(super) const VERSION_HEAD: &str = "`HEAD /api/charts/{name}/{version}`";
    pub(super) const TEMPLATES: &str = "`GET /api/charts/{name}/{version}/templates`";
    pub(super) const VALUES: &str = "`GET /api/charts/{name}/{version}/values`";
    pub(super) const RAW: &str = "`POST /api/charts`";
    pub(super) const FORM: &str = "`POST /api/charts` as a form";
    pub(super) const PROVENANCE: &str = "`POST /api/prov`";
    pub(super) const DELETE: &str = "`DELETE /api/charts/{name}/{version}`";
    pub(super) const METRICS: &str = "`GET /metrics`";
    pub(super) const STATIC: &str = "`GET /static`";
    pub(super) const PATHS: &str = "paths of repositories";
    pub(super) const CONTEXT: &str = "paths below a context path";
}
