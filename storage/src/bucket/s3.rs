//! Amazon S3, and servers that speak its protocol.

use std::sync::Arc;

use object_store::ClientOptions;
use object_store::aws::{
    AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider, S3ConditionalPut,
};
use url::Url;

use super::answers::Asks;
use super::connection::{self, parse_endpoint, without_slash};
use super::credentials::Named;
use super::objects::Objects;
use super::profile::{self, Keys, Profile};
use super::variables::Variables;
use super::{Bucket, BucketError, BucketOptions, Encryption};
use crate::Timeouts;

use AmazonS3ConfigKey as Key;

/// Where a bucket of a server of one's own is, which does not care.
const ANY_REGION: &str = "us-east-1";

const ENDPOINT_VARIABLES: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

pub(super) fn open(
    name: &str,
    options: &BucketOptions,
    timeouts: Timeouts,
) -> Result<Bucket, BucketError> {
    let variables = Variables(&options.variables);
    let profile = profile::read(options.profile.as_deref(), variables)?;
    let source = choose(options, variables, profile.as_ref())?;
    let (mut builder, mut client) = apply(variables);
    if let Some(endpoint) = find_endpoint(options, variables, profile.as_ref())? {
        client = client.with_allow_http(endpoint.scheme() == "http");
        builder = address_server(builder, name, &endpoint, options.path_style)?;
        builder = builder
            .with_region(find_region(options, variables, profile.as_ref()).unwrap_or(ANY_REGION));
    } else {
        let region = find_region(options, variables, profile.as_ref());
        let region = region.ok_or(BucketError::Missing {
            what: "the region of the bucket",
            fix: "the region, or AWS_REGION",
        })?;
        builder = address_amazon(
            builder.with_region(region),
            name,
            region,
            options.path_style,
        );
    }
    builder = encrypt(builder, options.encryption.as_ref())?;
    let bundle = variables.get("AWS_CA_BUNDLE");
    let client = connection::complete(client, options, bundle, timeouts)?;
    let builder = builder
        .with_bucket_name(name)
        .with_client_options(client)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // One request for one object, which every server has, and whose answer is the object's.
        .with_disable_bulk_delete(true);
    let described = source.to_string();
    let credentials = connect(source.apply(builder.clone()), variables, timeouts)?;
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
fn apply(variables: Variables<'_>) -> (AmazonS3Builder, ClientOptions) {
    let mut builder = AmazonS3Builder::new();
    let mut client = ClientOptions::new();
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_"))
    {
        match name.to_ascii_lowercase().parse::<Key>() {
            // Those have their own place, and the others are of other programs.
            Ok(
                Key::AccessKeyId
                | Key::SecretAccessKey
                | Key::Token
                | Key::WebIdentityTokenFile
                | Key::RoleArn
                | Key::ContainerCredentialsRelativeUri
                | Key::ContainerCredentialsFullUri
                | Key::ContainerAuthorizationTokenFile
                | Key::Endpoint
                | Key::S3Endpoint,
            )
            | Err(_) => {}
            Ok(Key::Client(key)) => client = client.with_config(key, value),
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    if let Some(url) = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        builder = builder.with_metadata_endpoint(url.trim_end_matches('/'));
    }
    (builder, client)
}

fn find_endpoint(
    options: &BucketOptions,
    variables: Variables<'_>,
    profile: Option<&Profile>,
) -> Result<Option<Url>, BucketError> {
    options
        .endpoint
        .as_deref()
        .or_else(|| variables.first(&ENDPOINT_VARIABLES).map(|(_, url)| url))
        .or_else(|| profile?.endpoint.as_deref())
        .map(parse_endpoint)
        .transpose()
}

fn find_region<'a>(
    options: &'a BucketOptions,
    variables: Variables<'a>,
    profile: Option<&'a Profile>,
) -> Option<&'a str> {
    options
        .region
        .as_deref()
        .or_else(|| {
            let found = variables.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
            found.map(|(_, region)| region)
        })
        .or_else(|| profile?.region.as_deref())
}

/// Addresses a bucket of a server of one's own: in the path, as ChartMuseum does by default, or in
/// the host's name.
fn address_server(
    builder: AmazonS3Builder,
    bucket: &str,
    endpoint: &Url,
    path_style: Option<bool>,
) -> Result<AmazonS3Builder, BucketError> {
    let said = builder.get_config_value(&Key::VirtualHostedStyleRequest);
    let in_path = path_style.unwrap_or_else(|| said.as_deref() != Some("true"));
    if in_path {
        return Ok(builder
            .with_virtual_hosted_style_request(false)
            .with_endpoint(without_slash(endpoint)));
    }
    // The library wants the bucket's name in the URL then.
    let mut url = endpoint.clone();
    let host = endpoint.host_str().unwrap_or_default();
    url.set_host(Some(&format!("{bucket}.{host}")))
        .map_err(|_| {
            BucketError::Unsupported(format!(
                "the bucket's name cannot stand before the host `{host}`; use path style"
            ))
        })?;
    Ok(builder
        .with_virtual_hosted_style_request(true)
        .with_endpoint(without_slash(&url)))
}

fn address_amazon(
    builder: AmazonS3Builder,
    bucket: &str,
    region: &str,
    path_style: Option<bool>,
) -> AmazonS3Builder {
    // A certificate is good for one more label, so that a name with a dot must stand in the path.
    let in_path = path_style.unwrap_or_else(|| bucket.contains('.'));
    let builder = builder.with_virtual_hosted_style_request(!in_path);
    // The library knows one domain only.
    if !region.starts_with("cn-") {
        return builder;
    }
    let endpoint = if in_path {
        format!("https://s3.{region}.amazonaws.com.cn")
    } else {
        format!("https://{bucket}.s3.{region}.amazonaws.com.cn")
    };
    let builder = builder.with_endpoint(endpoint);
    if builder.get_config_value(&Key::StsEndpoint).is_some() {
        return builder;
    }
    builder.with_config(
        Key::StsEndpoint,
        format!("https://sts.{region}.amazonaws.com.cn"),
    )
}

fn encrypt(
    builder: AmazonS3Builder,
    encryption: Option<&Encryption>,
) -> Result<AmazonS3Builder, BucketError> {
    let key_named = |name: &str| name.parse::<Key>().map_err(BucketError::Refused);
    let Some(encryption) = encryption else {
        return Ok(builder);
    };
    let kind = key_named("aws_server_side_encryption")?;
    Ok(match encryption {
        Encryption::Aes256 => builder.with_config(kind, "AES256"),
        Encryption::Kms { key: None } => builder.with_config(kind, "aws:kms"),
        Encryption::Kms { key: Some(key) } => builder
            .with_config(kind, "aws:kms")
            .with_config(key_named("aws_sse_kms_key_id")?, key),
    })
}

/// Where the credentials come from.
enum Source<'a> {
    Unsigned,
    Keys {
        id: &'a str,
        secret: &'a str,
        token: Option<&'a str>,
    },
    Profile {
        name: &'a str,
        keys: &'a Keys,
    },
    WebIdentity {
        file: &'a str,
        role: &'a str,
    },
    Task {
        path: &'a str,
    },
    Pod {
        url: &'a str,
        file: &'a str,
    },
    Instance,
}

/// Chooses as the AWS tools do: what is named, keys, a web identity, the profile, the container, the
/// machine.
fn choose<'a>(
    options: &BucketOptions,
    variables: Variables<'a>,
    profile: Option<&'a Profile>,
) -> Result<Source<'a>, BucketError> {
    if variables.is_true("AWS_SKIP_SIGNATURE") {
        return Ok(Source::Unsigned);
    }
    let of_profile = || -> Result<Option<Source<'a>>, BucketError> {
        let Some(profile) = profile else {
            return Ok(None);
        };
        match (&profile.keys, profile.other_way) {
            (Some(keys), _) => Ok(Some(Source::Profile {
                name: &profile.name,
                keys,
            })),
            (None, Some(setting)) => Err(profile.unsupported(setting)),
            (None, None) => Ok(None),
        }
    };
    if let Some(name) = &options.profile {
        return of_profile()?.ok_or_else(|| {
            BucketError::Unsupported(format!("the profile `{name}` has no credentials"))
        });
    }
    let keys = pair(variables, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")?;
    if let Some((id, secret)) = keys {
        return Ok(Source::Keys {
            id,
            secret,
            token: variables.get("AWS_SESSION_TOKEN"),
        });
    }
    // A role alone is no half: some set it for their own scripts.
    if let Some(file) = variables.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let role = variables.get("AWS_ROLE_ARN").ok_or(BucketError::Half {
            given: "AWS_WEB_IDENTITY_TOKEN_FILE",
            missing: "AWS_ROLE_ARN",
        })?;
        return Ok(Source::WebIdentity { file, role });
    }
    if let Some(found) = of_profile()? {
        return Ok(found);
    }
    if let Some(path) = variables.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        return Ok(Source::Task { path });
    }
    if let Some(url) = variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        let file = variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let file = file.ok_or(BucketError::Half {
            given: "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            missing: "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        })?;
        return Ok(Source::Pod { url, file });
    }
    if variables.is_true("AWS_EC2_METADATA_DISABLED") {
        return Err(BucketError::Missing {
            what: "a source of credentials",
            fix: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a web identity",
        });
    }
    Ok(Source::Instance)
}

/// Returns both variables, or neither.
fn pair<'a>(
    variables: Variables<'a>,
    first: &'static str,
    second: &'static str,
) -> Result<Option<(&'a str, &'a str)>, BucketError> {
    let half = |given, missing| Err(BucketError::Half { given, missing });
    match (variables.get(first), variables.get(second)) {
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (None, None) => Ok(None),
        (Some(_), None) => half(first, second),
        (None, Some(_)) => half(second, first),
    }
}

impl Source<'_> {
    fn apply(&self, builder: AmazonS3Builder) -> AmazonS3Builder {
        match self {
            Self::Unsigned | Self::Instance => builder,
            Self::Keys { id, secret, token } => with_keys(builder, id, secret, *token),
            Self::Profile { keys, .. } => {
                with_keys(builder, &keys.id, &keys.secret, keys.token.as_deref())
            }
            Self::WebIdentity { file, role } => builder
                .with_config(Key::WebIdentityTokenFile, *file)
                .with_config(Key::RoleArn, *role),
            Self::Task { path } => builder.with_config(Key::ContainerCredentialsRelativeUri, *path),
            Self::Pod { url, file } => builder
                .with_config(Key::ContainerCredentialsFullUri, *url)
                .with_config(Key::ContainerAuthorizationTokenFile, *file),
        }
    }
}

fn with_keys(
    builder: AmazonS3Builder,
    id: &str,
    secret: &str,
    token: Option<&str>,
) -> AmazonS3Builder {
    let builder = builder
        .with_access_key_id(id)
        .with_secret_access_key(secret);
    match token {
        Some(token) => builder.with_token(token),
        None => builder,
    }
}

impl std::fmt::Display for Source<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsigned => formatter.write_str("nowhere: requests are not signed"),
            Self::Keys { id, .. } => write!(formatter, "the static keys {id} of AWS_ACCESS_KEY_ID"),
            Self::Profile { name, keys } => {
                write!(
                    formatter,
                    "the static keys {} of the profile `{name}`",
                    keys.id
                )
            }
            Self::WebIdentity { role, .. } => write!(
                formatter,
                "the web identity of the role {role} from AWS_WEB_IDENTITY_TOKEN_FILE"
            ),
            Self::Task { .. } => formatter
                .write_str("the role of the container from AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            Self::Pod { url, .. } => write!(
                formatter,
                "the identity of the pod from AWS_CONTAINER_CREDENTIALS_FULL_URI ({url})"
            ),
            Self::Instance => {
                formatter.write_str("the role of the machine from its metadata service")
            }
        }
    }
}

/// Makes what fetches credentials, which may be tried again, unlike requests for objects.
fn connect(
    builder: AmazonS3Builder,
    variables: Variables<'_>,
    timeouts: Timeouts,
) -> Result<AwsCredentialProvider, BucketError> {
    let builder = builder.with_retry(connection::credential_retries(timeouts));
    // To fall back to the older service, the library must see how the newer one refuses.
    let builder = if variables.is_true("AWS_IMDSV1_FALLBACK") {
        builder
    } else {
        builder.with_http_connector(Asks::Credentials)
    };
    let made = builder.build().map_err(BucketError::Refused)?;
    Ok(Arc::clone(made.credentials()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
        builder.get_config_value(&Key::Endpoint)
    }

    #[test]
    fn a_bucket_of_ones_own_server_stands_in_the_path_unless_told_otherwise() {
        let url = parse_endpoint("http://minio:9000").unwrap();
        let address = |builder, path_style| address_server(builder, "charts", &url, path_style);
        let new = AmazonS3Builder::new;
        let by_default = address(new(), None).unwrap();
        assert_eq!(endpoint(&by_default).as_deref(), Some("http://minio:9000"));
        let in_host = Some("http://charts.minio:9000");
        let told = address(new(), Some(false)).unwrap();
        assert_eq!(endpoint(&told).as_deref(), in_host);
        let by_variable = new().with_virtual_hosted_style_request(true);
        let by_variable = address(by_variable, None).unwrap();
        assert_eq!(endpoint(&by_variable).as_deref(), in_host);
        let numeric = parse_endpoint("http://127.0.0.1:9000").unwrap();
        address_server(new(), "charts", &numeric, Some(false)).unwrap_err();
    }

    #[test]
    fn a_bucket_of_amazons_stands_in_the_host_where_a_certificate_can_cover_it() {
        let address = |bucket, region| address_amazon(AmazonS3Builder::new(), bucket, region, None);
        let virtual_hosted =
            |builder: &AmazonS3Builder| builder.get_config_value(&Key::VirtualHostedStyleRequest);
        assert_eq!(
            virtual_hosted(&address("charts", "eu-west-1")).as_deref(),
            Some("true")
        );
        assert_eq!(
            virtual_hosted(&address("a.b", "eu-west-1")).as_deref(),
            Some("false")
        );
        assert_eq!(endpoint(&address("charts", "eu-west-1")), None);
        let china = address("charts", "cn-north-1");
        assert_eq!(
            endpoint(&china).as_deref(),
            Some("https://charts.s3.cn-north-1.amazonaws.com.cn")
        );
        assert_eq!(
            china.get_config_value(&Key::StsEndpoint).as_deref(),
            Some("https://sts.cn-north-1.amazonaws.com.cn")
        );
    }
}
