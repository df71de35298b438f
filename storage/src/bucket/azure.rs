//! Azure Blob Storage.

use std::sync::Arc;

use object_store::ClientOptions;
use object_store::azure::{AzureConfigKey as Key, AzureCredentialProvider, MicrosoftAzureBuilder};
use url::Url;

use super::answers::Asks;
use super::connection::{self, parse_endpoint, without_slash};
use super::credentials::Named;
use super::objects::Objects;
use super::variables::Variables;
use super::{Bucket, BucketError, BucketOptions};
use crate::Timeouts;

/// What everybody's emulator is called and where it listens; its key is no secret.
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const ACCOUNT_VARIABLES: [&str; 2] = ["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"];
const KEY_VARIABLES: [&str; 3] = [
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_KEY",
];
const SAS_VARIABLES: [&str; 2] = ["AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY"];

pub(super) fn open(
    name: &str,
    options: &BucketOptions,
    timeouts: Timeouts,
) -> Result<Bucket, BucketError> {
    let variables = Variables(&options.variables);
    let emulator = variables.is_true("AZURE_STORAGE_USE_EMULATOR");
    let account = match variables.first(&ACCOUNT_VARIABLES) {
        Some((_, account)) => account,
        None if emulator => EMULATOR_ACCOUNT,
        None => {
            return Err(BucketError::Missing {
                what: "the storage account",
                fix: "AZURE_STORAGE_ACCOUNT",
            });
        }
    };
    let endpoint = find_endpoint(options, variables, account, emulator)?;
    let source = choose(variables, emulator);
    let (builder, client) = apply(variables);
    let client = client.with_allow_http(endpoint.scheme() == "http");
    let client = connection::complete(client, options, None, timeouts)?;
    let builder = builder
        .with_account(account)
        .with_container_name(name)
        .with_endpoint(without_slash(&endpoint))
        .with_client_options(client);
    let described = source.to_string();
    let credentials = connect(&source, builder.clone(), timeouts)?;
    let objects = builder
        .with_credentials(Named::new(&credentials, &described))
        .with_retry(connection::no_retries())
        .with_http_connector(Asks::Objects)
        .build()
        .map_err(BucketError::Refused)?;
    Ok(Bucket {
        // Azure takes it for a slash.
        objects: Arc::new(Objects::new(objects, Some('\\'))),
        credentials: described,
    })
}

/// Applies the variables that the library knows, but for those of credentials and addresses.
fn apply(variables: Variables<'_>) -> (MicrosoftAzureBuilder, ClientOptions) {
    let mut builder = MicrosoftAzureBuilder::new();
    let mut client = ClientOptions::new();
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| name.starts_with("AZURE_"))
    {
        match name.to_ascii_lowercase().parse::<Key>() {
            // Those have their own place, and the others are of other programs.
            Ok(
                Key::AccountName
                | Key::AccessKey
                | Key::SasKey
                | Key::Token
                | Key::ClientSecret
                | Key::FederatedTokenFile
                | Key::UseAzureCli
                | Key::CredentialType
                | Key::Endpoint
                | Key::UseEmulator,
            )
            | Err(_) => {}
            Ok(Key::Client(key)) => client = client.with_config(key, value),
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    // Where Azure's own hosts tell their programs about the identity that they have.
    if let Some(url) = variables.get("IDENTITY_ENDPOINT") {
        builder = builder.with_msi_endpoint(url);
    }
    (builder, client)
}

fn find_endpoint(
    options: &BucketOptions,
    variables: Variables<'_>,
    account: &str,
    emulator: bool,
) -> Result<Url, BucketError> {
    let said = variables.first(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"]);
    if let Some(url) = options.endpoint.as_deref().or(said.map(|(_, url)| url)) {
        return parse_endpoint(url);
    }
    if emulator {
        return parse_endpoint(EMULATOR_ENDPOINT);
    }
    // ChartMuseum's variable holds the part of the host after the service's name.
    match variables.get("AZURE_BASE_URL") {
        Some(url) if url.contains("://") => parse_endpoint(url),
        base => {
            let base = base.unwrap_or("core.windows.net");
            parse_endpoint(&format!("https://{account}.blob.{base}"))
        }
    }
}

/// Where the credentials come from.
enum Source<'a> {
    Emulator,
    Token(&'a str),
    Key {
        key: &'a str,
        named_by: &'static str,
    },
    Workload {
        file: &'a str,
        client: &'a str,
    },
    Secret {
        secret: &'a str,
        client: &'a str,
    },
    Signature {
        sas: &'a str,
        named_by: &'static str,
    },
    Cli,
    Managed,
}

/// Chooses as the library does.
fn choose(variables: Variables<'_>, emulator: bool) -> Source<'_> {
    let client = || {
        let (_, client) = variables.first(&["AZURE_CLIENT_ID", "AZURE_STORAGE_CLIENT_ID"])?;
        let tenants = [
            "AZURE_TENANT_ID",
            "AZURE_STORAGE_TENANT_ID",
            "AZURE_AUTHORITY_ID",
        ];
        variables.first(&tenants)?;
        Some(client)
    };
    let secrets = ["AZURE_CLIENT_SECRET", "AZURE_STORAGE_CLIENT_SECRET"];
    if let Some(token) = variables.get("AZURE_STORAGE_TOKEN") {
        return Source::Token(token);
    }
    if let Some((named_by, key)) = variables.first(&KEY_VARIABLES) {
        return Source::Key { key, named_by };
    }
    if let (Some(file), Some(client)) = (variables.get("AZURE_FEDERATED_TOKEN_FILE"), client()) {
        return Source::Workload { file, client };
    }
    if let (Some((_, secret)), Some(client)) = (variables.first(&secrets), client()) {
        return Source::Secret { secret, client };
    }
    if let Some((named_by, sas)) = variables.first(&SAS_VARIABLES) {
        return Source::Signature { sas, named_by };
    }
    if emulator {
        return Source::Emulator;
    }
    if variables.is_true("AZURE_USE_AZURE_CLI") {
        return Source::Cli;
    }
    Source::Managed
}

impl std::fmt::Display for Source<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Emulator => formatter.write_str("the emulator's key, which everybody knows"),
            Self::Token(_) => formatter.write_str("the token of AZURE_STORAGE_TOKEN"),
            Self::Key { named_by, .. } => {
                write!(formatter, "the key of the storage account of {named_by}")
            }
            Self::Workload { client, .. } => write!(
                formatter,
                "the workload identity of the client {client} from AZURE_FEDERATED_TOKEN_FILE"
            ),
            Self::Secret { client, .. } => {
                write!(
                    formatter,
                    "the secret of the client {client} of AZURE_CLIENT_SECRET"
                )
            }
            Self::Signature { named_by, .. } => {
                write!(formatter, "the shared access signature of {named_by}")
            }
            Self::Cli => formatter.write_str("the Azure command line's login"),
            Self::Managed => {
                formatter.write_str("the managed identity of the machine from its metadata service")
            }
        }
    }
}

/// Makes what fetches credentials, which may be tried again, unlike requests for objects.
fn connect(
    source: &Source<'_>,
    builder: MicrosoftAzureBuilder,
    timeouts: Timeouts,
) -> Result<AzureCredentialProvider, BucketError> {
    let builder = match source {
        Source::Emulator => builder.with_access_key(EMULATOR_KEY),
        Source::Token(token) => builder.with_bearer_token_authorization(*token),
        Source::Key { key, .. } => builder.with_access_key(*key),
        Source::Workload { file, .. } => builder.with_federated_token_file(*file),
        Source::Secret { secret, .. } => builder.with_client_secret(*secret),
        Source::Signature { sas, .. } => builder.with_config(Key::SasKey, *sas),
        Source::Cli => builder.with_use_azure_cli(true),
        Source::Managed => builder,
    };
    let made = builder
        .with_retry(connection::credential_retries(timeouts))
        .with_http_connector(Asks::Credentials)
        .build()
        .map_err(BucketError::Refused)?;
    Ok(Arc::clone(made.credentials()))
}
