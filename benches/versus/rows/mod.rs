//! The rows of the table, in the order in which they are measured.

mod commands;
mod growth;
mod readers;
mod repositories;
mod serving;
mod starts;
mod uploads;

use crate::stage::Stage;
use crate::table::Line;

/// What is measured as one, and can be asked for by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Upload,
    Clients,
    Visible,
    Start,
    FirstStart,
    Readers,
    Overload,
    Nginx,
    Index,
    Helm,
    Memory,
    Growth,
    Extremes,
    Repositories,
}

impl Row {
    pub(crate) const ALL: [Self; 14] = [
        Self::Upload,
        Self::Clients,
        Self::Visible,
        Self::Start,
        Self::FirstStart,
        Self::Readers,
        Self::Overload,
        Self::Nginx,
        Self::Index,
        Self::Helm,
        Self::Memory,
        Self::Growth,
        Self::Extremes,
        Self::Repositories,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Clients => "clients",
            Self::Visible => "visible",
            Self::Start => "start",
            Self::FirstStart => "first-start",
            Self::Readers => "readers",
            Self::Overload => "overload",
            Self::Nginx => "nginx",
            Self::Index => "index",
            Self::Helm => "helm",
            Self::Memory => "memory",
            Self::Growth => "growth",
            Self::Extremes => "extremes",
            Self::Repositories => "repositories",
        }
    }

    /// Says whether it is measured only when it is asked for: it is no part of the table.
    pub(crate) fn is_extra(self) -> bool {
        self == Self::Repositories
    }

    pub(crate) async fn measure(self, stage: &mut Stage) -> anyhow::Result<Vec<Line>> {
        match self {
            Self::Upload => uploads::one_client(stage).await,
            Self::Clients => uploads::sixteen_clients(stage).await,
            Self::Visible => uploads::visible(stage).await,
            Self::Start => starts::saved(stage).await,
            Self::FirstStart => starts::first(stage).await,
            Self::Readers => readers::readers(stage).await,
            Self::Overload => uploads::overload(stage).await,
            Self::Nginx => serving::nginx(stage).await,
            Self::Index => commands::index(stage),
            Self::Helm => commands::helm(stage).await,
            Self::Memory => Ok(growth::memory(stage)),
            Self::Growth => growth::growth(stage).await,
            Self::Extremes => growth::extremes(stage).await,
            Self::Repositories => repositories::repositories(stage).await,
        }
    }
}
