//! `--gen-index`: prints the index of the one repository, and ends.

use std::io::Write;

use anyhow::Context;
use chartroom_storage::{Clock, RepositoryPath};

use crate::config::Config;
use crate::http::settings::IndexFormat;
use crate::index::Format;
use crate::repository::Repositories;

/// Prints what `/index.yaml` would be: what is there now, not what a state file says as in
/// `ChartMuseum`.
pub(super) async fn print(config: &Config) -> anyhow::Result<()> {
    let store = super::open_store(config)?;
    let repositories = Repositories::open(store, Clock::default(), config.registry())
        .await
        .with_context(|| format!("the repository in {} cannot be opened", config.storage))?;
    let repository = repositories.writer(&RepositoryPath::root()).await?;
    let refreshed = repository.refresh().await;
    refreshed.context("the files cannot be looked at")?;
    let view = repository.caught_up().await?;
    let format = match config.http.index_format {
        IndexFormat::Json => Format::Json,
        IndexFormat::Auto | IndexFormat::Yaml => Format::Yaml,
    };
    let context_path = config.http.context_path.as_str();
    let context_path = (!context_path.is_empty()).then_some(context_path);
    let body = view
        .index
        .body(format, &view.generated.fixed_offset(), context_path);
    let mut stdout = std::io::stdout().lock();
    for chunk in body.chunks() {
        stdout
            .write_all(&chunk)
            .context("the index cannot be printed")?;
    }
    drop(stdout);
    repositories.close().await;
    Ok(())
}
