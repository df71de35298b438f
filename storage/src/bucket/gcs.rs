//! Google Cloud Storage.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::gcp::{
    GcpCredential, GcpCredentialProvider, GoogleCloudStorageBuilder, GoogleConfigKey as Key,
};
use object_store::{ClientOptions, StaticCredentialProvider};

use super::answers::Asks;
use super::connection::{self, parse_endpoint, without_slash};
use super::credentials::Named;
use super::objects::Objects;
use super::variables::Variables;
use super::{Bucket, BucketError, BucketOptions};
use crate::Timeouts;

/// Google's own tools write it on `gcloud auth application-default login`.
const WELL_KNOWN: &str = ".config/gcloud/application_default_credentials.json";

pub(super) fn open(
    name: &str,
    options: &BucketOptions,
    timeouts: Timeouts,
) -> Result<Bucket, BucketError> {
    let variables = Variables(&options.variables);
    let source = choose(variables)?;
    let (mut builder, mut client) = apply(variables);
    let emulator = variables.get("STORAGE_EMULATOR_HOST").map(|host| {
        if host.contains("://") {
            host.to_owned()
        } else {
            format!("http://{host}")
        }
    });
    if let Some(endpoint) = options.endpoint.as_deref().or(emulator.as_deref()) {
        let url = parse_endpoint(endpoint)?;
        client = client.with_allow_http(url.scheme() == "http");
        builder = builder.with_base_url(&without_slash(&url));
    }
    let client = connection::complete(client, options, None, timeouts)?;
    let builder = builder.with_bucket_name(name).with_client_options(client);
    let described = source.to_string();
    let credentials = connect(&source, builder.clone(), timeouts)?;
    let objects = builder
        .with_credentials(Named::new(&credentials, &described))
        .with_retry(connection::no_retries())
        .with_http_connector(Asks::Objects)
        .build()
        .map_err(BucketError::Refused)?;
    Ok(Bucket {
        objects: Arc::new(Objects::new(objects, None)),
        credentials: described,
    })
}

/// Applies the variables that the library knows, but for those of credentials.
fn apply(variables: Variables<'_>) -> (GoogleCloudStorageBuilder, ClientOptions) {
    let mut builder = GoogleCloudStorageBuilder::new();
    let mut client = ClientOptions::new();
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| name.starts_with("GOOGLE_"))
    {
        match name.to_ascii_lowercase().parse::<Key>() {
            // Those have their own place, and the others are of other programs.
            Ok(
                Key::ServiceAccount
                | Key::ServiceAccountKey
                | Key::ApplicationCredentials
                | Key::BearerToken,
            )
            | Err(_) => {}
            Ok(Key::Client(key)) => client = client.with_config(key, value),
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    (builder, client)
}

/// Where the credentials come from.
enum Source {
    /// Emulators ask for none.
    Emulator,
    Token(String),
    /// A service account's key, given as such.
    Key {
        json: String,
        account: String,
    },
    /// A file that says what it is, the variable that names it, and whose it is.
    File {
        path: PathBuf,
        named_by: &'static str,
        account: String,
    },
    Metadata,
}

/// Chooses as Google's own libraries do, after what only the library knows.
fn choose(variables: Variables<'_>) -> Result<Source, BucketError> {
    if variables.get("STORAGE_EMULATOR_HOST").is_some() {
        return Ok(Source::Emulator);
    }
    if let Some(token) = variables.get("GOOGLE_BEARER_TOKEN") {
        return Ok(Source::Token(token.to_owned()));
    }
    if let Some(json) = variables.get("GOOGLE_SERVICE_ACCOUNT_KEY") {
        let account = identify(json).map_err(|what| {
            BucketError::Unsupported(format!("GOOGLE_SERVICE_ACCOUNT_KEY {what}"))
        })?;
        return Ok(Source::Key {
            json: json.to_owned(),
            account,
        });
    }
    let named = variables.first(&[
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ]);
    if let Some((named_by, path)) = named {
        return read_file(Path::new(path), named_by);
    }
    let well_known = variables
        .get("HOME")
        .map(|home| Path::new(home).join(WELL_KNOWN));
    match well_known {
        Some(path) if path.is_file() => read_file(&path, "`gcloud auth application-default login`"),
        _ => Ok(Source::Metadata),
    }
}

fn read_file(path: &Path, named_by: &'static str) -> Result<Source, BucketError> {
    let json = fs::read_to_string(path).map_err(|source| BucketError::File {
        path: path.to_owned(),
        source,
    })?;
    let account = identify(&json).map_err(|what| BucketError::Content {
        path: path.to_owned(),
        what,
    })?;
    Ok(Source::File {
        path: path.to_owned(),
        named_by,
        account,
    })
}

/// Tells whose credentials these are, or why they are of no use.
fn identify(json: &str) -> Result<String, String> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else {
        return Err("is not JSON".to_owned());
    };
    let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
    match text("type") {
        Some("authorized_user") => Ok("a user".to_owned()),
        Some("service_account") | None => text("client_email")
            .map(|email| format!("the service account {email}"))
            .ok_or_else(|| {
                "has no `client_email`, so it is no key of a service account".to_owned()
            }),
        Some(other) => Err(format!(
            "holds credentials of the type `{other}`, which are not supported; use a key of a \
             service account, or the workload identity of the cluster"
        )),
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Emulator => formatter.write_str("nowhere: STORAGE_EMULATOR_HOST is set"),
            Self::Token(_) => formatter.write_str("the token of GOOGLE_BEARER_TOKEN"),
            Self::Key { account, .. } => {
                write!(
                    formatter,
                    "the key of {account} in GOOGLE_SERVICE_ACCOUNT_KEY"
                )
            }
            Self::File {
                path,
                named_by,
                account,
            } => write!(
                formatter,
                "the key of {account} in {}, named by {named_by}",
                path.display()
            ),
            Self::Metadata => formatter
                .write_str("the identity of the workload or machine from its metadata service"),
        }
    }
}

/// Makes what fetches credentials, which may be tried again, unlike requests for objects.
fn connect(
    source: &Source,
    builder: GoogleCloudStorageBuilder,
    timeouts: Timeouts,
) -> Result<GcpCredentialProvider, BucketError> {
    let bearer = |token: &str| -> GcpCredentialProvider {
        Arc::new(StaticCredentialProvider::new(GcpCredential {
            bearer: token.to_owned(),
        }))
    };
    let builder = match source {
        Source::Emulator => return Ok(bearer("")),
        Source::Token(token) => return Ok(bearer(token)),
        Source::Key { json, .. } => builder.with_service_account_key(json),
        Source::File { path, .. } => {
            builder.with_application_credentials(path.display().to_string())
        }
        Source::Metadata => builder,
    };
    let made = builder
        .with_retry(connection::credential_retries(timeouts))
        .with_http_connector(Asks::Credentials)
        .build()
        .map_err(BucketError::Refused)?;
    Ok(Arc::clone(made.credentials()))
}
