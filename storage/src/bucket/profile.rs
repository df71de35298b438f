//! Profiles of the AWS configuration files.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};

use super::BucketError;
use super::variables::Variables;

/// The profile that is used where none is named.
const DEFAULT: &str = "default";

/// Settings by which a profile gets its credentials in a way that is not built in.
const OTHER_WAYS: [&str; 7] = [
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "sso_account_id",
    "sso_session",
    "web_identity_token_file",
];

/// What a profile says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) keys: Option<Keys>,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<String>,
    /// The setting by which it gets its credentials in a way that is not built in.
    pub(super) other_way: Option<&'static str>,
}

/// Static keys.
#[derive(PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
}

impl std::fmt::Debug for Keys {
    /// Leaves out what is secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

type Section = HashMap<String, Option<String>>;

/// Reads a profile: the one that is named, `AWS_PROFILE`, or `default` if there is one.
pub(super) fn read(
    named: Option<&str>,
    variables: Variables<'_>,
) -> Result<Option<Profile>, BucketError> {
    let asked = named.or_else(|| variables.get("AWS_PROFILE"));
    let name = asked.unwrap_or(DEFAULT);
    let credentials = locate(variables, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    let configuration = locate(variables, "AWS_CONFIG_FILE", "config");
    let mut settings = None;
    // What the credentials file says comes first.
    for (file, is_configuration) in [(configuration, true), (credentials, false)] {
        let Some(file) = file else { continue };
        if let Some(found) = read_section(&file, name, is_configuration)? {
            settings.get_or_insert_with(Section::new).extend(found);
        }
    }
    match settings {
        Some(settings) => Ok(Some(interpret(name, &settings)?)),
        None if asked.is_some() => Err(BucketError::NoProfile(format!("the profile `{name}`"))),
        None => Ok(None),
    }
}

fn locate(variables: Variables<'_>, variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = variables.get(variable) {
        return Some(path.into());
    }
    Some(Path::new(variables.get("HOME")?).join(".aws").join(name))
}

fn read_section(
    file: &Path,
    profile: &str,
    is_configuration: bool,
) -> Result<Option<Section>, BucketError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(BucketError::File {
                path: file.to_owned(),
                source,
            });
        }
    };
    let mut form = IniDefault::default();
    form.case_sensitive = true;
    form.delimiters = vec!['='];
    form.comment_symbols = vec!['#', ';'];
    // A secret may hold either.
    form.inline_comment_symbols = Some(Vec::new());
    let mut sections =
        Ini::new_from_defaults(form)
            .read(text)
            .map_err(|what| BucketError::Content {
                path: file.to_owned(),
                // It quotes the line, which may hold a secret.
                what: what.split(':').next().unwrap_or_default().to_owned(),
            })?;
    // In the configuration file sections are called `profile NAME`, but for the default one.
    let mut found = sections
        .remove(profile)
        .filter(|_| !is_configuration || profile == DEFAULT);
    if is_configuration {
        found = sections.remove(&format!("profile {profile}")).or(found);
    }
    Ok(found)
}

fn interpret(name: &str, settings: &Section) -> Result<Profile, BucketError> {
    let get = |key: &str| {
        let value = settings.get(key)?.as_deref()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let keys = match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Some(Keys {
            id,
            secret,
            token: get("aws_session_token"),
        }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(BucketError::Half {
                given: "aws_access_key_id of the profile",
                missing: "its aws_secret_access_key",
            });
        }
        (None, Some(_)) => {
            return Err(BucketError::Half {
                given: "aws_secret_access_key of the profile",
                missing: "its aws_access_key_id",
            });
        }
    };
    Ok(Profile {
        name: name.to_owned(),
        keys,
        region: get("region"),
        endpoint: get("endpoint_url"),
        other_way: OTHER_WAYS.into_iter().find(|key| get(key).is_some()),
    })
}

impl Profile {
    /// Returns the error for a profile that gets its credentials in a way that is not built in.
    pub(super) fn unsupported(&self, setting: &str) -> BucketError {
        BucketError::Unsupported(format!(
            "the profile `{}` gets its credentials by `{setting}`, which is not supported; give it \
             `aws_access_key_id` and `aws_secret_access_key`, or use a web identity",
            self.name
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIGURATION: &str = "\
# comment
[default]
region = eu-central-1
s3 =
    addressing_style = path

[profile work]
region=eu-west-1
endpoint_url = http://minio:9000
; comment
aws_access_key_id = from-config
aws_secret_access_key = config-secret

[work]
region = wrong

[profile single sign-on]
sso_session = corp

[profile half]
aws_access_key_id = a
";

    const CREDENTIALS: &str = "\
[work]
aws_access_key_id = AKID
aws_secret_access_key = a/b+c=#;d
aws_session_token=t0k3n==
";

    fn profile(
        folder: &Path,
        named: Option<&str>,
        more: &[(&str, &str)],
    ) -> Result<Option<Profile>, BucketError> {
        let mut variables = vec![("HOME".to_owned(), folder.to_str().unwrap().to_owned())];
        for (name, value) in more {
            variables.push(((*name).to_owned(), (*value).to_owned()));
        }
        read(named, Variables(&variables))
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), CONFIGURATION).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        home
    }

    #[test]
    fn a_named_profile_has_keys_and_region() {
        let home = home();
        let work = profile(home.path(), Some("work"), &[]).unwrap().unwrap();
        assert_eq!(work.region.as_deref(), Some("eu-west-1"));
        assert_eq!(work.endpoint.as_deref(), Some("http://minio:9000"));
        let keys = work.keys.unwrap();
        assert_eq!(keys.id, "AKID");
        assert_eq!(keys.secret, "a/b+c=#;d");
        assert_eq!(keys.token.as_deref(), Some("t0k3n=="));
        assert!(!format!("{keys:?}").contains("a/b"));
        let same = profile(home.path(), None, &[("AWS_PROFILE", "work")]).unwrap();
        assert_eq!(same.unwrap().name, "work");
    }

    #[test]
    fn the_default_profile_may_be_missing_but_a_named_one_may_not() {
        let home = home();
        let default = profile(home.path(), None, &[]).unwrap().unwrap();
        assert_eq!(default.region.as_deref(), Some("eu-central-1"));
        assert!(default.keys.is_none() && default.other_way.is_none());
        let empty = tempfile::tempdir().unwrap();
        assert!(profile(empty.path(), None, &[]).unwrap().is_none());
        assert!(matches!(
            profile(empty.path(), Some("work"), &[]),
            Err(BucketError::NoProfile(_))
        ));
    }

    #[test]
    fn what_is_not_supported_or_halved_is_told() {
        let home = home();
        let other = profile(home.path(), Some("single sign-on"), &[])
            .unwrap()
            .unwrap();
        assert_eq!(other.other_way, Some("sso_session"));
        assert!(matches!(
            profile(home.path(), Some("half"), &[]),
            Err(BucketError::Half { .. })
        ));
        std::fs::write(home.path().join("broken"), "[unclosed\nsecret").unwrap();
        let path = home.path().join("broken");
        let broken = profile(
            home.path(),
            None,
            &[("AWS_CONFIG_FILE", path.to_str().unwrap())],
        );
        let Err(BucketError::Content { what, .. }) = broken else {
            panic!("{broken:?}");
        };
        assert!(!what.contains("secret"), "{what}");
    }
}
