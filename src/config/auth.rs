//! Who is let in.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use secrecy::SecretString;

use super::layers::{Given, Noted, Reader};
use super::options::{
    ANONYMOUS_PROV, AUTH_ACTIONS_SEARCH_PATH, AUTH_ANONYMOUS_GET, AUTH_CERT_PATH, AUTH_REALM,
    AUTH_SERVICE, BASIC_AUTH_PASS, BASIC_AUTH_PASS_FILE, BASIC_AUTH_USER, BEARER_AUTH, DISABLE_API,
    Definition, HTPASSWD, OPEN_WRITES, POLICY, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_KEY,
};
use super::parse::{self, Wrong};

/// Who is let in.
#[derive(Clone, Debug, Default)]
pub struct AuthSettings {
    /// What requests must show; `None` lets everybody read, and this machine write.
    pub scheme: Option<AuthScheme>,
    /// Whether everybody may read, without credentials.
    pub anonymous_get: bool,
    /// Whether everybody may read provenance files, without credentials.
    pub anonymous_provenance: bool,
    /// Whether, without a scheme, everybody may write.
    pub open_writes: bool,
}

/// What requests must show.
#[derive(Clone, Debug)]
pub enum AuthScheme {
    /// A name and a password.
    Basic(BasicAuth),
    /// A token.
    Bearer(BearerAuth),
    /// Whatever the policy asks for.
    Native(NativeAuth),
}

/// Our own authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeAuth {
    /// The users and their passwords.
    pub htpasswd: Option<PathBuf>,
    /// How access tokens are verified.
    pub tokens: Option<TokenSettings>,
    /// What everybody may do; `None` is everything for those who are known.
    pub policy: Option<PathBuf>,
}

/// How access tokens are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// PEM files with public keys, at least one.
    pub keys: Vec<PathBuf>,
    /// The `iss` of the tokens.
    pub issuer: String,
    /// Their `aud`.
    pub audience: String,
}

/// The name and the password.
#[derive(Clone, Debug)]
pub struct BasicAuth {
    /// The name; not empty, without a colon.
    pub user: String,
    /// The password; not empty.
    pub password: SecretString,
}

/// How tokens are asked for and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerAuth {
    /// Where clients get a token. ASCII without quotes and backslashes.
    pub realm: String,
    /// What clients call this server there. ASCII without quotes and backslashes.
    pub service: String,
    /// A PEM file with a public RSA key, or a certificate of one.
    pub certificate: PathBuf,
    /// The `JMESPath` of the allowed actions in a token's claims; `None` is ChartMuseum's.
    pub actions_search_path: Option<String>,
}

/// Reads who is let in. What is half given is a mistake that must not end in an open server.
pub(super) fn read(reader: &mut Reader) -> Result<AuthSettings, Noted> {
    let basic = basic(reader);
    let bearer = bearer(reader);
    let native = native(reader);
    let anonymous_get = reader.value(&AUTH_ANONYMOUS_GET, parse::switch);
    let anonymous_provenance = reader.value(&ANONYMOUS_PROV, parse::switch);
    let open_writes = reader.value(&OPEN_WRITES, parse::switch);
    let (basic, bearer, native) = (basic?, bearer?, native?);
    let (anonymous_get, open_writes) = (anonymous_get?, open_writes?);
    let scheme = match (basic, bearer, native) {
        (None, None, None) => None,
        (Some(basic), None, None) => Some(AuthScheme::Basic(basic)),
        (None, Some(bearer), None) => Some(AuthScheme::Bearer(bearer)),
        (None, None, Some((native, _))) => Some(AuthScheme::Native(native)),
        (Some(_), Some(_), _) => {
            let fix =
                "remove one: ChartMuseum would let tokens win and passwords count for nothing";
            return Err(both(reader, &BEARER_AUTH, &BASIC_AUTH_USER, fix));
        }
        (Some(_), None, Some((_, ours))) => {
            let fix = "put the user into the file of --htpasswd, or remove one";
            return Err(both(reader, ours, &BASIC_AUTH_USER, fix));
        }
        (None, Some(_), Some((_, ours))) => {
            return Err(both(reader, ours, &BEARER_AUTH, "remove one"));
        }
    };
    if anonymous_get
        && let Some(AuthScheme::Native(NativeAuth {
            policy: Some(_), ..
        })) = &scheme
    {
        let fix = "write `to: [anonymous]` and `allow: [pull]` for what everybody may read";
        return Err(both(reader, &AUTH_ANONYMOUS_GET, &POLICY, fix));
    }
    if open_writes && scheme.is_some() {
        let wrong = Wrong {
            what: "there is authentication, which decides who writes".to_owned(),
            fix: format!("remove {} or the authentication", OPEN_WRITES.name),
        };
        let source = reader.source_of(&OPEN_WRITES);
        return Err(reader.note(&OPEN_WRITES, source, wrong));
    }
    if anonymous_get && scheme.is_none() {
        reader.notices.push(format!(
            "{} does nothing: there are no credentials, so everybody may read",
            AUTH_ANONYMOUS_GET.name
        ));
    }
    let open_writes = open_writes || (scheme.is_none() && asks_for_an_open_api(reader));
    Ok(AuthSettings {
        scheme,
        anonymous_get,
        anonymous_provenance: anonymous_provenance?,
        open_writes,
    })
}

/// Each is tried for every token.
const MOST_KEYS: usize = 8;

fn files(text: &str) -> Result<Vec<PathBuf>, Wrong> {
    let files = text
        .lines()
        .map(parse::file)
        .collect::<Result<Vec<_>, _>>()?;
    if files.len() > MOST_KEYS {
        return Err(Wrong {
            what: format!("there are {} files", files.len()),
            fix: format!("give at most {MOST_KEYS}"),
        });
    }
    Ok(files)
}

fn name(text: &str) -> Result<String, Wrong> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(Wrong::new(text, "a name", "write a name or a URL"));
    }
    Ok(text.to_owned())
}

fn both(
    reader: &mut Reader,
    definition: &'static Definition,
    other: &Definition,
    fix: &str,
) -> Noted {
    let wrong = Wrong {
        what: format!("{} is given too", other.name),
        fix: fix.to_owned(),
    };
    let source = reader.source_of(definition);
    reader.note(definition, source, wrong)
}

/// Who starts ChartMuseum's configuration with `DISABLE_API=false` asks for its open API: its own chart
/// sets it to true.
fn asks_for_an_open_api(reader: &Reader) -> bool {
    let given = reader.find_any(&DISABLE_API);
    reader.museum.is_some()
        && given.is_some_and(|value| matches!(parse::switch(&value.text), Ok(false)))
}

/// Reads our own authentication, and the first of its options that is given.
fn native(reader: &mut Reader) -> Result<Option<(NativeAuth, &'static Definition)>, Noted> {
    let htpasswd = reader.given(&[&HTPASSWD], parse::file);
    let policy = reader.given(&[&POLICY], parse::file);
    let keys = reader.given(&[&TOKEN_KEY], files);
    let issuer = reader.value(&TOKEN_ISSUER, name);
    let audience = reader.value(&TOKEN_AUDIENCE, name);
    let (htpasswd, policy, keys) = (htpasswd?, policy?, keys?);
    let (issuer, audience) = (issuer?, audience?);
    let first = [
        htpasswd.as_ref().map(|given| given.definition),
        keys.as_ref().map(|given| given.definition),
        policy.as_ref().map(|given| given.definition),
    ];
    let first = first.into_iter().flatten().next();
    let tokens = keys.map(|given| TokenSettings {
        keys: given.value,
        issuer,
        audience,
    });
    let settings = NativeAuth {
        htpasswd: htpasswd.map(|given| given.value),
        tokens,
        policy: policy.map(|given| given.value),
    };
    Ok(first.map(|definition| (settings, definition)))
}

const OPEN: &str = "let everybody in";

fn basic(reader: &mut Reader) -> Result<Option<BasicAuth>, Noted> {
    let user = reader.given(&[&BASIC_AUTH_USER], user);
    let password = password(reader);
    match (user?, password?) {
        (Some(user), Some(password)) => Ok(Some(BasicAuth {
            user: user.value,
            password: password.value,
        })),
        (None, None) => Ok(None),
        (Some(user), None) => {
            let password = format!("{} or {}", BASIC_AUTH_PASS.name, BASIC_AUTH_PASS_FILE.name);
            Err(reader.lacks(user, &password, OPEN))
        }
        (None, Some(password)) => Err(reader.lacks(password, BASIC_AUTH_USER.name, OPEN)),
    }
}

/// RFC 7617 section 2: a colon ends the name.
fn user(text: &str) -> Result<String, Wrong> {
    if text.contains(':') || text.contains(char::is_control) {
        let fix = "write it without colons and control characters";
        return Err(Wrong::new(text, "a name that a client can send", fix));
    }
    Ok(text.to_owned())
}

/// Reads the password from whichever of its two options is nearer. No problem shows any of it.
fn password(reader: &mut Reader) -> Result<Option<Given<SecretString>>, Noted> {
    let given = reader.nearest(&[&BASIC_AUTH_PASS, &BASIC_AUTH_PASS_FILE])?;
    let Some(Given {
        value,
        definition,
        source,
    }) = given.filter(|given| !given.value.is_empty())
    else {
        return Ok(None);
    };
    let password = if definition.name == BASIC_AUTH_PASS_FILE.name {
        first_text(&value)
    } else {
        Ok(value)
    };
    match password {
        Ok(password) => Ok(Some(Given {
            value: password.into(),
            definition,
            source,
        })),
        Err(wrong) => Err(reader.note(definition, source, wrong)),
    }
}

/// No sensible password is longer, and a device given by mistake has no end.
const LONGEST_PASSWORD: u64 = 4096;

/// Reads the whole of a file but for the line break at its end, which editors put there.
fn first_text(path: &str) -> Result<String, Wrong> {
    let wrong = |what: String| Wrong {
        what: format!("cannot read a password from {path}: {what}"),
        fix: "give a file that holds a password and nothing else".to_owned(),
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST_PASSWORD + 1).read_to_string(&mut text))
        .map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > LONGEST_PASSWORD {
        return Err(wrong(format!("it is longer than {LONGEST_PASSWORD} bytes")));
    }
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    Ok(password.to_owned())
}

fn bearer(reader: &mut Reader) -> Result<Option<BearerAuth>, Noted> {
    let on = reader.value(&BEARER_AUTH, parse::switch);
    let realm = reader.given(&[&AUTH_REALM], parse::quotable);
    let service = reader.given(&[&AUTH_SERVICE], parse::quotable);
    let certificate = reader.given(&[&AUTH_CERT_PATH], parse::file);
    let path = reader.given(&[&AUTH_ACTIONS_SEARCH_PATH], parse::text);
    let on = on?;
    if !on {
        let mut stray = Ok(());
        for definition in [
            &AUTH_REALM,
            &AUTH_SERVICE,
            &AUTH_CERT_PATH,
            &AUTH_ACTIONS_SEARCH_PATH,
        ] {
            stray = stray.and(without_bearer(reader, definition));
        }
        return stray.map(|()| None);
    }
    let realm = required(reader, realm, &AUTH_REALM);
    let service = required(reader, service, &AUTH_SERVICE);
    let certificate = required(reader, certificate, &AUTH_CERT_PATH);
    Ok(Some(BearerAuth {
        realm: realm?,
        service: service?,
        certificate: certificate?,
        actions_search_path: path?.map(|path| path.value),
    }))
}

fn without_bearer(reader: &mut Reader, definition: &Definition) -> Result<(), Noted> {
    let Some(value) = reader.find_any(definition).cloned() else {
        return Ok(());
    };
    let bearer = BEARER_AUTH.name;
    let wrong = Wrong {
        what: format!("it is given without {bearer}, so that it would protect nothing"),
        fix: format!("add {bearer}, or remove it"),
    };
    Err(reader.note(definition, value.source, wrong))
}

fn required<T>(
    reader: &mut Reader,
    given: Result<Option<Given<T>>, Noted>,
    definition: &'static Definition,
) -> Result<T, Noted> {
    if let Some(given) = given? {
        return Ok(given.value);
    }
    let bearer = BEARER_AUTH.name;
    let source = reader.source_of(&BEARER_AUTH);
    let wrong = Wrong {
        what: format!("{bearer} needs it"),
        fix: format!("add {}, or remove {bearer}", definition.name),
    };
    Err(reader.note(definition, source, wrong))
}
