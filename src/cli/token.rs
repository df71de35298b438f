//! `chartroom token`: makes access tokens, and the keys that sign them.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use chartroom_storage::Clock;
use chrono::TimeDelta;
use clap::{ArgMatches, Subcommand};
use clap::{Args as _, Command, FromArgMatches as _};
use secrecy::ExposeSecret;

use super::visit;
use crate::auth::policy::Grant;
use crate::auth::token::{self, Order, SigningKey};

const EXAMPLES: &str = "\
  chartroom token key --key token.pem            writes token.pem, a secret, and token.pem.pub
  chartroom token create --key token.pem --subject ci --grant 'pull,push:org/*' --expires 30d
  chartroom serve --token-key token.pem.pub
  helm repo add org https://charts.example/org --username ci --password TOKEN

A key of openssl works too: openssl genpkey -algorithm ed25519 -out token.pem";

/// Makes access tokens, and the keys that sign them
#[derive(Clone, Debug, clap::Args)]
#[command(name = "token", after_help = EXAMPLES)]
struct TokenArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Makes a key: FILE is the secret part, and FILE.pub what the server is given
    Key {
        /// Where to write it; nothing that exists is overwritten
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Makes a token and prints it
    Create(Create),
}

#[derive(Clone, Debug, clap::Args)]
struct Create {
    /// The private key, in PEM: Ed25519 or P-256
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Whom it is for; the policy knows it as token:NAME
    #[arg(long, value_name = "NAME", value_parser = subject)]
    subject: String,

    /// What it is good for, such as pull,push:org/*; may be repeated
    #[arg(long = "grant", value_name = "VERBS:REPOSITORY", required = true)]
    grants: Vec<Grant>,

    /// For how long: 12h, 30d
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = lifetime)]
    expires: TimeDelta,

    /// Who makes it, as the server's --token-issuer
    #[arg(long, value_name = "NAME", default_value = "chartroom")]
    issuer: String,

    /// For which servers, as their --token-audience
    #[arg(long, value_name = "NAME", default_value = "chartroom")]
    audience: String,
}

/// Describes the command.
pub(super) fn command() -> Command {
    TokenArgs::augment_args(Command::new("token"))
}

/// Does the command.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let arguments = match TokenArgs::from_arg_matches(matches) {
        Ok(arguments) => arguments,
        Err(error) => {
            visit::complain(&error);
            return ExitCode::from(2);
        }
    };
    let done = match arguments.action {
        Action::Key { key } => make_key(&key),
        Action::Create(create) => self::create(&create),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            visit::complain(&format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn subject(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 128 || text.contains(char::is_control) {
        return Err("a subject is a name of up to 128 bytes".to_owned());
    }
    Ok(text.to_owned())
}

/// No token is for ever.
const LONGEST_DAYS: i64 = 3660;

fn lifetime(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("write a number and a unit, such as 12h or 30d, up to {LONGEST_DAYS}d");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        _ => return Err(wrong()),
    };
    let lifetime = TimeDelta::seconds(i64::from(number) * seconds);
    if lifetime <= TimeDelta::zero() || lifetime > TimeDelta::days(LONGEST_DAYS) {
        return Err(wrong());
    }
    Ok(lifetime)
}

fn create(create: &Create) -> anyhow::Result<()> {
    let key = SigningKey::read(&create.key).context("--key")?;
    let now = Clock::default().wall();
    let order = Order {
        issuer: create.issuer.clone(),
        audience: create.audience.clone(),
        subject: create.subject.clone(),
        grants: create.grants.clone(),
        now,
        expires: now + create.expires,
    };
    let issued = key.issue(&order).context("--key")?;
    // Beside the token itself, which may go into a file or a variable.
    visit::complain(&format_args!(
        "token {} for {} until {}",
        issued.id,
        order.subject,
        order.expires.format("%Y-%m-%dT%H:%M:%SZ")
    ));
    visit::print(&format!("{}\n", issued.token.expose_secret()))
}

fn make_key(path: &Path) -> anyhow::Result<()> {
    let mut public_path = OsString::from(path);
    public_path.push(".pub");
    let public_path = PathBuf::from(public_path);
    let (private, public) = token::new_pair()?;
    write_new(path, private.expose_secret(), 0o600)?;
    write_new(&public_path, &public, 0o644)?;
    visit::print(&format!(
        "{} is the secret key, for chartroom token create\n{} is the public key, for the server's --token-key\n",
        path.display(),
        public_path.display()
    ))
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| anyhow!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_a_unit_and_an_end() {
        for (text, seconds) in [
            ("1s", 1),
            ("90m", 5400),
            ("12h", 43_200),
            ("30d", 2_592_000),
        ] {
            assert_eq!(lifetime(text), Ok(TimeDelta::seconds(seconds)));
        }
        for text in [
            "",
            "0d",
            "30",
            "d",
            "-1d",
            "1.5d",
            "3661d",
            "4294967295d",
            "1w",
            "1é",
        ] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
