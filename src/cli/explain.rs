//! `chartroom explain`: why a version is in the index, or why not.

use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Arg, ArgMatches, Command};
use serde_json::Value;

use super::visit::{self, Access, Storage};
use crate::repository::Explanation;

const NAME: &str = "NAME";
const VERSION: &str = "VERSION";

/// The exit code when the index does not list the version.
const NOT_LISTED: u8 = 3;

const EXIT_CODES: &str = "\
The storage is looked at, not a server: what a server answers is at /api/explain/NAME/VERSION.

Exit codes:
  0  the index lists it
  1  it could not be found out
  2  wrong usage
  3  the index does not list it";

/// Describes the command.
pub(super) fn command() -> Command {
    let argument = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .value_name(name)
            .required(true)
            .help(help)
            .allow_hyphen_values(true)
    };
    let command = Command::new("explain")
        .about("Say why a version is in the index, or why not")
        .after_help(EXIT_CODES)
        .arg(argument(NAME, "The chart's name"))
        .arg(argument(VERSION, "The version, as Chart.yaml has it"));
    visit::add_to(command)
}

/// Does the command.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let texts = [NAME, VERSION].map(|id| matches.get_one::<String>(id).cloned());
    let [Some(name), Some(version)] = texts else {
        // clap lets nothing through without them.
        return ExitCode::from(2);
    };
    visit::run(matches, Access::Read, async move |storage| {
        explain(&storage, &name, &version).await
    })
}

async fn explain(storage: &Storage, name: &str, version: &str) -> anyhow::Result<ExitCode> {
    let path = storage.repository.clone().unwrap_or_default();
    let visit = storage.visit(&path).await?;
    let explanation = visit.explain(name, version).await;
    visit.end().await;
    let explanation =
        explanation.with_context(|| format!("the {} cannot be read", visit::name(&path)))?;
    visit::print(&if storage.json {
        let json = serde_json::to_string_pretty(&explanation);
        json.context("the explanation cannot be written")? + "\n"
    } else {
        text(&explanation)?
    })?;
    Ok(if explanation.listed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_LISTED)
    })
}

/// Writes the sentence, the advice, and the facts, a line each.
fn text(explanation: &Explanation) -> anyhow::Result<String> {
    let mut lines = vec![
        explanation.sentence.clone(),
        format!("what to do: {}", explanation.advice),
    ];
    if let Some(generation) = explanation.generation {
        lines.push(format!("  {:<21} {generation}", "generation"));
    }
    let facts = serde_json::to_value(&explanation.facts)?;
    let Value::Object(facts) = facts else {
        return Err(anyhow!("the facts are no object"));
    };
    for (key, value) in facts {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        lines.push(format!("  {:<21} {value}", key.replace('_', " ")));
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&visit::printable(&line));
        text.push('\n');
    }
    Ok(text)
}
