//! `chartroom serve`: the server.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chartroom_storage::{Clock, Location, Store, probe};
use clap::{ArgMatches, Command};
use tokio_util::task::AbortOnDropHandle;

use super::gen_index;
use crate::audit::{AuditLog, Destination};
use crate::auth::{self, Auth};
use crate::config::{self, Config};
use crate::metrics::{IssuerRequests, Metrics};
use crate::repository::Repositories;
use crate::server::{self, Signals, Stop, Tls};
use crate::signature::Policy;
use crate::{http, telemetry};

/// How long threads that are busy with a request's work may keep the process from ending.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Describes the command.
pub(super) fn command() -> Command {
    let command =
        Command::new("serve").about("Serve a repository (what is meant without a command)");
    config::args::add_to(command)
}

/// Serves until a signal.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let config = match Config::load(matches, &config::variables()) {
        Ok(config) => config,
        Err(problems) => {
            report(&format!("{problems}"));
            return ExitCode::from(2);
        }
    };
    match start(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes to stderr, and does not mind if nobody reads it.
fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "chartroom: {text}");
}

fn start(config: Config) -> anyhow::Result<()> {
    telemetry::start(&config.log).context("the log cannot be started")?;
    if let Some(source) = &config.chartmuseum {
        tracing::info!(%source, "ChartMuseum's variables, defaults and file keys count: the storage is one of its backends");
    }
    for notice in &config.notices {
        tracing::warn!("{notice}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let result = if config.gen_index {
        runtime.block_on(gen_index::print(&config))
    } else {
        runtime.block_on(serve(config))
    };
    runtime.shutdown_timeout(LAST_WAIT);
    result
}

/// Files of the configuration come first, then the port: a second server must not touch the first
/// one's storage.
async fn serve(mut config: Config) -> anyhow::Result<()> {
    let signals = Signals::take_over().context("signals cannot be taken over")?;
    let issuers = IssuerRequests::default();
    let counted = Arc::new(issuers.clone());
    let auth = Auth::try_counted(&config.auth, Clock::default(), counted)?;
    let auth = Arc::new(auth);
    let audit = config.audit.clone().map(AuditLog::open).transpose();
    let audit = audit.context("the audit log cannot be opened")?;
    let tls = config.tls.clone().map(Tls::load).transpose()?;
    let provenance = policy(&config)?;
    config.http.provenance = provenance.clone();
    let listener = server::bind(config.listen).await?;
    let address = listener.local_addr().context("the socket has no address")?;
    server::allow_open_files(config.server.max_connections);
    let memory = u64::try_from(config.http.max_uploads).unwrap_or(u64::MAX);
    let memory = memory.saturating_mul(config.http.max_upload_size);
    tracing::debug!(
        uploads = config.http.max_uploads,
        upload_bytes = config.http.max_upload_size,
        memory_bytes = memory,
        "uploads take at most this much memory"
    );
    let metrics = Metrics::new(address, config.server.max_connections).with_issuers(issuers);
    let store = super::open_store(&config)?.metered(Arc::new(metrics.clone()));
    let mut options = config.registry();
    options.repository.events = Arc::new(metrics.clone());
    let stop = Stop::default();
    let run = async {
        let tried = tokio::select! {
            tried = try_condition(&config, &store) => tried,
            () = stop.drain.cancelled() => return Ok(()),
        };
        tried?;
        // An open that is broken off leaves what a crash would leave: nothing to repair by hand.
        let opened = tokio::select! {
            opened = Repositories::open(store, Clock::default(), options) => opened,
            () = stop.drain.cancelled() => return Ok(()),
        };
        let repositories = opened
            .with_context(|| format!("the repositories in {} cannot be opened", config.storage))?;
        // There each line is a line of JSON.
        if config.audit != Some(Destination::Stdout) {
            greet(&config, address);
        }
        warn_of_open_writes(&config, address);
        let following = Arc::clone(&auth);
        let following = tokio::spawn(async move { following.follow().await });
        let _following = AbortOnDropHandle::new(following);
        let connections = metrics.connections();
        let api = http::service(repositories.clone(), config.http, auth, audit, metrics);
        server::serve(listener, api, tls, config.server, connections, stop.clone()).await;
        repositories.close().await;
        Ok(())
    };
    let relay = async {
        signals.relay(&stop).await;
        // What is left is the repository's end; the store is whole at any moment.
        tokio::time::sleep(LAST_WAIT).await;
    };
    tokio::select! {
        result = run => result,
        () = relay => Ok(()),
        () = provenance.follow() => Ok(()),
    }
}

fn policy(config: &Config) -> anyhow::Result<Policy> {
    let Some(settings) = &config.provenance else {
        return Ok(Policy::default());
    };
    Ok(Policy::load(
        settings.rule,
        &settings.keyring,
        Clock::default(),
    )?)
}

/// Any number of replicas rest on one thing: that of two creates of an object one fails. Some servers
/// that speak S3 take the condition and ignore it.
async fn try_condition(config: &Config, store: &Store) -> anyhow::Result<()> {
    if !matches!(config.storage, Location::Bucket { .. }) {
        return Ok(());
    }
    let honours = probe::honours_create(store).await.with_context(|| {
        format!(
            "the storage {} does not work; chartroom check-storage tells more",
            config.storage
        )
    })?;
    if honours {
        return Ok(());
    }
    if config.single_replica {
        tracing::warn!(
            "the storage does not refuse to create an object twice: a second replica would lose uploads"
        );
        return Ok(());
    }
    anyhow::bail!(
        "the storage {} does not refuse to create an object twice, so that replicas would lose each other's uploads: use another one, or, if there is never a second replica, --single-replica",
        config.storage
    )
}

/// Says loudly that anybody who reaches the server can fill the storage and replace charts.
fn warn_of_open_writes(config: &Config, address: SocketAddr) {
    let is_open = config.auth.scheme.is_none() && config.auth.open_writes;
    if is_open && !auth::is_loopback(address.ip()) {
        tracing::warn!(
            %address,
            "WRITES ARE OPEN: everybody who reaches this address can upload, replace and delete charts; set up --htpasswd, --token-key or --basic-auth-user, or remove --open-writes"
        );
    }
}

/// Tells a person, once, what to do next. Not a log line: it goes to stdout.
fn greet(config: &Config, address: SocketAddr) {
    let greeting = greeting(&config.storage, address, &url(config, address));
    // A closed stdout is nobody to greet.
    let _ = std::io::stdout().write_all(greeting.as_bytes());
}

fn greeting(storage: &Location, address: SocketAddr, url: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let place = place(storage);
    let everywhere = if address.ip().is_unspecified() {
        ", and at every other address of this machine"
    } else {
        ""
    };
    format!(
        "chartroom {version}\n\
         \x20 charts are kept in  {place}\n\
         \x20 and served at       {url}{everywhere}\n\n\
         \x20 helm repo add local {url}\n\
         \x20 curl --data-binary @mychart-0.1.0.tgz {url}/api/charts\n\n"
    )
}

fn place(storage: &Location) -> String {
    match storage {
        Location::Directory(path) => {
            let absolute = std::path::absolute(path);
            absolute.as_ref().unwrap_or(path).display().to_string()
        }
        Location::Memory => "memory, until the server stops".to_owned(),
        bucket @ Location::Bucket { .. } => bucket.to_string(),
    }
}

/// Returns a URL that works on this machine.
fn url(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let host = reachable(address);
    format!("{scheme}://{host}{}", config.http.context_path)
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_can_be_pasted() {
        let storage = Location::Directory("/srv/charts".into());
        let address: SocketAddr = "0.0.0.0:8879".parse().unwrap();
        let url = format!("http://{}", reachable(address));
        let text = greeting(&storage, address, &url);
        insta::assert_snapshot!(text, @"
        chartroom 0.1.0
          charts are kept in  /srv/charts
          and served at       http://127.0.0.1:8879, and at every other address of this machine

          helm repo add local http://127.0.0.1:8879
          curl --data-binary @mychart-0.1.0.tgz http://127.0.0.1:8879/api/charts
        ");
        let everywhere = "[::]:80".parse().unwrap();
        assert_eq!(reachable(everywhere).to_string(), "[::1]:80");
    }
}
