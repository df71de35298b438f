//! `chartroom check-storage`: whether a store does what a server asks of it, and with whose rights.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use chartroom_storage::probe::{Step, Tried, probe};
use chartroom_storage::{BucketService, Key, Location};
use clap::{ArgMatches, Command};

use super::visit;
use crate::config::{self, Config};

/// The exit code when a step does not work.
const FOUND: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  0  everything works
  1  the storage cannot be opened
  2  wrong usage or configuration
  3  something does not work; it is named";

/// Describes the command.
pub(super) fn command() -> Command {
    let command = Command::new("check-storage")
        .about("Try what a server asks of a storage, and print the rights that it takes")
        .after_help(EXIT_CODES);
    config::args::add_to(command)
}

/// Tries the storage and prints what came of it.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let config = match Config::load(matches, &config::variables()) {
        Ok(config) => config,
        Err(problems) => {
            visit::complain(&problems);
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let checked = match runtime {
        Ok(runtime) => runtime.block_on(check(&config)),
        Err(error) => Err(error.into()),
    };
    match checked {
        Ok(code) => code,
        Err(error) => {
            visit::complain(&format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn check(config: &Config) -> anyhow::Result<ExitCode> {
    let store = super::open_store(config)?;
    let tried = probe(&store).await;
    let text = report(config, store.credentials(), &tried);
    visit::print(&text)?;
    let is_good = tried.iter().all(|tried| tried.result.is_ok());
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FOUND)
    })
}

fn report(config: &Config, credentials: Option<&str>, tried: &[Tried]) -> String {
    let mut text = format!("storage      {}\n", config.storage);
    // Writing to a String cannot fail.
    if let Some(endpoint) = &config.buckets.endpoint {
        let _ = writeln!(text, "endpoint     {endpoint}");
    }
    if let Some(credentials) = credentials {
        let _ = writeln!(text, "credentials  {credentials}");
    }
    text.push('\n');
    for Tried { step, result } in tried {
        match result {
            Ok(()) => {
                let _ = writeln!(text, "ok      {}", step.name());
            }
            Err(error) => {
                let _ = writeln!(text, "FAILED  {}: {}", step.name(), chain(error));
            }
        }
    }
    if !tried.iter().any(|tried| tried.step == Step::CreateAgain) {
        text.push_str("        the steps after it were not tried\n");
    }
    if let Location::Bucket {
        service,
        name,
        prefix,
    } = &config.storage
    {
        text.push('\n');
        text.push_str(&rights(*service, name, prefix.as_ref()));
    }
    text
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// Returns the least rights that a server needs, to be pasted.
fn rights(service: BucketService, bucket: &str, prefix: Option<&Key>) -> String {
    let objects = match prefix {
        Some(prefix) => format!("{bucket}/{prefix}/*"),
        None => format!("{bucket}/*"),
    };
    match service {
        BucketService::S3 => {
            let condition = prefix.map_or_else(String::new, |prefix| {
                format!(
                    ",\n      \"Condition\": {{ \"StringLike\": {{ \"s3:prefix\": [\"{prefix}\", \"{prefix}/*\"] }} }}"
                )
            });
            format!(
                "The least rights that a server needs, as an IAM policy:\n\
                 {{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {{\n      \
                 \"Effect\": \"Allow\",\n      \"Action\": \"s3:ListBucket\",\n      \
                 \"Resource\": \"arn:aws:s3:::{bucket}\"{condition}\n    }},\n    {{\n      \
                 \"Effect\": \"Allow\",\n      \
                 \"Action\": [\"s3:GetObject\", \"s3:PutObject\", \"s3:DeleteObject\"],\n      \
                 \"Resource\": \"arn:aws:s3:::{objects}\"\n    }}\n  ]\n}}\n\
                 With SSE-KMS also kms:GenerateDataKey and kms:Decrypt on the key.\n"
            )
        }
        BucketService::Gcs => format!(
            "The least rights that a server needs, as a role on the bucket:\n\
             gcloud storage buckets add-iam-policy-binding gs://{bucket} \\\n  \
             --member=serviceAccount:NAME@PROJECT.iam.gserviceaccount.com \\\n  \
             --role=roles/storage.objectUser\n"
        ),
        BucketService::Azure => format!(
            "The least rights that a server needs, as a role on the container:\n\
             az role assignment create --role \"Storage Blob Data Contributor\" \\\n  \
             --assignee PRINCIPAL \\\n  \
             --scope /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/\
             Microsoft.Storage/storageAccounts/ACCOUNT/blobServices/default/containers/{bucket}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_json_that_names_the_bucket_and_the_prefix() {
        let prefix = Key::parse("some/charts").unwrap();
        for (prefix, objects) in [
            (None, "arn:aws:s3:::bucket/*"),
            (Some(&prefix), "arn:aws:s3:::bucket/some/charts/*"),
        ] {
            let text = rights(BucketService::S3, "bucket", prefix);
            let begin = text.find('{').unwrap();
            let end = text.rfind('}').unwrap();
            let policy: serde_json::Value = serde_json::from_str(&text[begin..=end]).unwrap();
            assert_eq!(policy["Statement"][0]["Resource"], "arn:aws:s3:::bucket");
            assert_eq!(policy["Statement"][1]["Resource"], objects);
            let condition = &policy["Statement"][0]["Condition"]["StringLike"]["s3:prefix"];
            assert_eq!(condition.is_null(), prefix.is_none());
        }
    }
}
