//! `chartroom policy`: what the policy allows, and by which rule.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use chartroom_storage::RepositoryPath;
use chrono::DateTime;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value};

use super::visit;
use crate::auth::policy::{Grant, Policy};
use crate::auth::{self, AccessToken, Identity, Verb, Workload};
use crate::config::options::Group;
use crate::config::{self, AuthScheme, AuthSettings, Config, NativeAuth};

const WHO: &str = "WHO";
const VERB: &str = "VERB";
const REPOSITORY: &str = "REPOSITORY";
const CLAIM: &str = "claim";
const CLAIMS: &str = "claims";
const GRANT: &str = "grant";

/// A token has a few kilobytes.
const LARGEST_CLAIMS: u64 = 1 << 20;
/// The exit code when it is refused.
const REFUSED: u8 = 3;

/// What of the configuration matters.
const SHOWN: [Group; 2] = [Group::Access, Group::General];

const EXAMPLES: &str = "\
WHO is anonymous, the name of a user, token:SUBJECT, or workload:ISSUER with --claim or --claims.
ISSUER is a name under `issuers` in the policy.
VERB is pull, push, overwrite or delete. The repository at the root is written /.

  chartroom policy test alice push org/team --policy policy.yaml
  chartroom policy test token:ci push org/team --grant 'push:org/*'
  chartroom policy test workload:github push shop --claim repository=acme/shop --claim ref=refs/heads/main
  chartroom policy test workload:cluster push shop --claims '{\"kubernetes.io\": {\"namespace\": \"ci\"}}'

Exit codes:
  0  allowed
  1  it could not be found out
  2  wrong usage or configuration
  3  refused";

/// Describes the command.
pub(super) fn command() -> Command {
    Command::new("policy")
        .about("Say what the policy allows, and by which rule")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(test_command())
        .subcommand(with_configuration(
            Command::new("check").about("Read the policy, and print its rules"),
        ))
}

fn test_command() -> Command {
    let argument = |name: &'static str, help: &'static str| {
        Arg::new(name).value_name(name).required(true).help(help)
    };
    let list = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .action(ArgAction::Append)
            .help(help)
    };
    let command = Command::new("test")
        .about("Say whether somebody may do something somewhere, and by which rule")
        .after_help(EXAMPLES)
        .arg(argument(WHO, "Who"))
        .arg(argument(VERB, "What they want to do"))
        .arg(argument(REPOSITORY, "Where"))
        .arg(list(CLAIM, "NAME=VALUE", "A claim of a workload"))
        .arg(Arg::new(CLAIMS).long(CLAIMS).value_name("FILE|JSON").help(
            "The claims of a workload, as its token has them: a JSON object, or a file with one",
        ))
        .arg(list(
            GRANT,
            "VERBS:REPOSITORY",
            "What a token is good for; without it everything",
        ));
    with_configuration(command)
}

/// Adds the configuration of `serve`, so that its variables and its file can be used as they are.
fn with_configuration(command: Command) -> Command {
    let is_configuration = |name: &str| {
        config::options::ALL
            .iter()
            .find(|definition| definition.name == name)
            .is_some_and(|definition| !SHOWN.contains(&definition.group))
    };
    config::args::add_to(command).mut_args(|arg| {
        let is_hidden = is_configuration(arg.get_id().as_str()) || arg.get_id() == "DIR";
        if is_hidden { arg.hide(true) } else { arg }
    })
}

/// Does the command.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let Some((name, arguments)) = matches.subcommand() else {
        // clap lets nothing through without one.
        return ExitCode::from(2);
    };
    let config = match Config::load(arguments, &config::variables()) {
        Ok(config) => config,
        Err(problems) => {
            visit::complain(&problems);
            return ExitCode::from(2);
        }
    };
    let done = if name == "check" {
        check(&config.auth)
    } else {
        match Question::read(arguments) {
            Ok(question) => test(&config.auth, &question),
            Err(error) => {
                visit::complain(&format_args!("{error:#}"));
                return ExitCode::from(2);
            }
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            visit::complain(&format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

struct Question {
    identity: Identity,
    verb: Verb,
    repository: RepositoryPath,
}

impl Question {
    fn read(arguments: &ArgMatches) -> anyhow::Result<Self> {
        let text = |name| arguments.get_one::<String>(name).map_or("", String::as_str);
        let list = |name| arguments.get_many::<String>(name).into_iter().flatten();
        let repository = text(REPOSITORY).trim_matches('/');
        Ok(Self {
            identity: identity(
                text(WHO),
                list(CLAIM).map(String::as_str),
                arguments.get_one::<String>(CLAIMS).map(String::as_str),
                list(GRANT).map(String::as_str),
            )?,
            verb: text(VERB).parse()?,
            repository: RepositoryPath::parse(repository)?,
        })
    }
}

fn identity<'a>(
    who: &str,
    claims: impl Iterator<Item = &'a str>,
    all_claims: Option<&str>,
    grants: impl Iterator<Item = &'a str>,
) -> anyhow::Result<Identity> {
    let claims: Vec<&str> = claims.collect();
    let mut grants: Vec<Grant> = grants.map(str::parse).collect::<Result<_, _>>()?;
    let (kind, name) = match who.split_once(':') {
        None if who == "anonymous" => ("anonymous", ""),
        None => ("user", who),
        Some((kind, name)) => (kind, name),
    };
    if (!claims.is_empty() || all_claims.is_some()) && kind != "workload" {
        return Err(anyhow!("--{CLAIM} and --{CLAIMS} are for workload:ISSUER"));
    }
    if !grants.is_empty() && kind != "token" {
        return Err(anyhow!("--{GRANT} is for token:SUBJECT"));
    }
    match kind {
        "anonymous" if name.is_empty() => Ok(Identity::Anonymous),
        "user" if !name.is_empty() => Ok(Identity::User(name.into())),
        "token" if !name.is_empty() => {
            if grants.is_empty() {
                grants.push("pull,push,overwrite,delete:**".parse()?);
            }
            Ok(Identity::AccessToken(Arc::new(AccessToken {
                id: String::new(),
                subject: name.to_owned(),
                issued: DateTime::UNIX_EPOCH,
                grants,
            })))
        }
        "workload" if !name.is_empty() => workload(name, all_claims, &claims),
        _ => Err(anyhow!(
            "`{who}` is nobody: write anonymous, the name of a user, token:SUBJECT or workload:ISSUER"
        )),
    }
}

fn workload(issuer: &str, all_claims: Option<&str>, written: &[&str]) -> anyhow::Result<Identity> {
    let all_claims = all_claims.map(read_claims).transpose();
    let mut claims = all_claims.context("--claims")?.unwrap_or_default();
    for claim in written {
        let (name, value) = claim
            .split_once('=')
            .ok_or_else(|| anyhow!("`{claim}` is not NAME=VALUE"))?;
        claims.insert(name.to_owned(), Value::from(value));
    }
    let subject = claims.get("sub").and_then(Value::as_str);
    Ok(Identity::Workload(Arc::new(Workload {
        issuer: issuer.to_owned(),
        subject: subject.unwrap_or("workload").to_owned(),
        claims,
    })))
}

/// Reads claims out of an argument, or out of the file that it names.
fn read_claims(argument: &str) -> anyhow::Result<Map<String, Value>> {
    if argument.trim_start().starts_with('{') {
        return Ok(serde_json::from_str(argument)?);
    }
    let mut text = String::new();
    File::open(argument)
        .and_then(|file| file.take(LARGEST_CLAIMS).read_to_string(&mut text))
        .with_context(|| format!("{argument} cannot be read"))?;
    // What stands there instead may be a secret, and the error repeats it.
    serde_json::from_str(&text).map_err(|_| anyhow!("{argument} does not hold a JSON object"))
}

/// Returns our own authentication, with its policy and where that comes from.
fn policy(native: &NativeAuth) -> anyhow::Result<(Policy, String)> {
    let Some(path) = &native.policy else {
        return Ok((
            Policy::built_in(),
            "the built-in policy (there is no --policy)".to_owned(),
        ));
    };
    let policy = auth::read_policy(path).context("--policy")?;
    Ok((policy, path.display().to_string()))
}

fn native(settings: &AuthSettings) -> anyhow::Result<Option<&NativeAuth>> {
    match &settings.scheme {
        None => Ok(None),
        Some(AuthScheme::Native(native)) => Ok(Some(native)),
        Some(AuthScheme::Basic(_) | AuthScheme::Bearer(_)) => Err(anyhow!(
            "the configuration has ChartMuseum's authentication, which knows no policy"
        )),
    }
}

fn test(settings: &AuthSettings, question: &Question) -> anyhow::Result<ExitCode> {
    let (text, is_allowed) = match native(settings)? {
        None => without(settings, question.verb),
        Some(native) => answer(settings, native, question)?,
    };
    visit::print(&text)?;
    Ok(if is_allowed {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(REFUSED)
    })
}

/// Without authentication there is nobody to tell from another.
fn without(settings: &AuthSettings, verb: Verb) -> (String, bool) {
    let (answer, why) = match (verb, settings.open_writes) {
        (Verb::Pull, _) => ("allowed", "everybody reads"),
        (_, true) => ("allowed", "--open-writes lets everybody write"),
        (_, false) => (
            "refused",
            "only this machine writes: a request from 127.0.0.1 that no proxy passed on would be allowed",
        ),
    };
    let text = format!("{answer}: there is no authentication, and {why}\n");
    (text, answer == "allowed")
}

fn answer(
    settings: &AuthSettings,
    native: &NativeAuth,
    question: &Question,
) -> anyhow::Result<(String, bool)> {
    let Question {
        identity,
        verb,
        repository,
    } = question;
    let (policy, source) = policy(native)?;
    let place = if repository.is_root() {
        "/"
    } else {
        repository.as_str()
    };
    let asked = format!("{identity} may {{}}{verb} in {place}");
    let mut notes = Vec::new();
    if settings.anonymous_get && *verb == Verb::Pull {
        let text = asked.replace("{}", "");
        return Ok((
            format!("allowed: {text}, as everybody may (--auth-anonymous-get)\n"),
            true,
        ));
    }
    let allowed_by = policy.find(identity, *verb, repository);
    let mut is_allowed = allowed_by.is_some();
    match allowed_by {
        Some(rule) => notes.push(format!("by {}, {}", at(rule.line, &source), rule.name)),
        None => notes.push("no rule allows it".to_owned()),
    }
    // What an upload takes.
    if *verb == Verb::Overwrite && policy.find(identity, Verb::Push, repository).is_none() {
        notes.push("an upload that replaces needs push, too, and no rule allows that".to_owned());
        is_allowed = false;
    }
    if let Identity::AccessToken(token) = identity {
        let is_granted = |verb| {
            let mut grants = token.grants.iter();
            grants.any(|grant| grant.allows(verb, repository))
        };
        if !is_granted(*verb) || (*verb == Verb::Overwrite && !is_granted(Verb::Push)) {
            notes.push("the token's own grants do not have it".to_owned());
            is_allowed = false;
        }
    }
    if let (Identity::User(name), Some(path)) = (identity, &native.htpasswd) {
        let users = auth::read_users(path).context("--htpasswd")?;
        if !users.contains(&**name) {
            notes.push(format!(
                "{name} is not in {}, so that no password lets them in",
                path.display()
            ));
        }
    }
    if let Identity::Workload(workload) = identity {
        let mut issuers = policy.issuers().iter();
        if !issuers.any(|issuer| issuer.name == workload.issuer) {
            notes.push(format!(
                "there is no issuer {} under `issuers`, so that no token lets them in",
                workload.issuer
            ));
        }
    }
    let mut text = if is_allowed {
        format!("allowed: {}\n", asked.replace("{}", ""))
    } else {
        format!("refused: {}\n", asked.replace("{}", "not "))
    };
    for note in notes {
        let _ = writeln!(text, "  {note}");
    }
    let _ = writeln!(text, "looked at {source}:");
    for rule in policy.rules() {
        let look = rule.looks_at(identity, *verb, repository);
        let _ = writeln!(text, "  {}: {look}", at(rule.line, &rule.name));
    }
    Ok((visit::printable_lines(&text), is_allowed))
}

fn at(line: usize, what: &str) -> String {
    if line == 0 {
        return what.to_owned();
    }
    format!("line {line} of {what}")
}

fn check(settings: &AuthSettings) -> anyhow::Result<ExitCode> {
    let Some(native) = native(settings)? else {
        return Err(anyhow!("there is no policy: give one with --policy"));
    };
    let (policy, source) = policy(native)?;
    let mut text = format!("{source}: {} rules\n", policy.rules().len());
    for rule in policy.rules() {
        let _ = writeln!(text, "  {:>4}  {rule}", rule.line);
    }
    if let Some(path) = &native.htpasswd {
        let known = auth::read_users(path).context("--htpasswd")?;
        let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
        for user in policy.users().difference(&known) {
            let _ = writeln!(text, "user:{user} is not in {}", path.display());
        }
    }
    visit::print(&visit::printable_lines(&text))?;
    Ok(ExitCode::SUCCESS)
}
