//! Where charts are kept, in our words and in ChartMuseum's.

use chartroom_storage::{BucketOptions, BucketService, Encryption, Location};

use super::backend::{Backend, Bucket};
use super::layers::{Noted, Reader, Source, Value};
use super::options::{
    self, Definition, Group, STORAGE, STORAGE_AMAZON_ENDPOINT, STORAGE_AMAZON_FORCE_PATH_STYLE,
    STORAGE_AMAZON_REGION, STORAGE_AMAZON_SSE, STORAGE_CA_CERT, STORAGE_ENDPOINT,
    STORAGE_LOCAL_ROOTDIR, STORAGE_PATH_STYLE, STORAGE_PROFILE, STORAGE_REGION, STORAGE_SSE,
};
use super::parse::{self, Wrong};

/// Reads where charts are kept, and how that place is reached.
pub(super) fn read(
    reader: &mut Reader,
    variables: Vec<(String, String)>,
) -> Result<(Location, BucketOptions), Noted> {
    let (named, location) = location(reader);
    let options = match &location {
        Ok(location) => bucket_options(reader, location, variables),
        Err(Noted) => Err(Noted),
    };
    unused(reader, named, location.as_ref().ok());
    Ok((location?, options?))
}

/// Returns the place, and the backend of ChartMuseum's that was named, if one was.
fn location(reader: &mut Reader) -> (Option<Backend>, Result<Location, Noted>) {
    let Value { text, source } = match value(reader) {
        Ok(value) => value,
        Err(noted) => return (None, Err(noted)),
    };
    match Backend::named(&text) {
        Some(backend) => (Some(backend), of_backend(reader, backend, source)),
        // Nobody but ChartMuseum reads these two, so that they are not in our words.
        None if matches!(source, Source::BareVariable(_) | Source::Key(..)) => {
            let what = format!("`{text}` is not a storage backend");
            let fix = "write local, amazon, google or microsoft".to_owned();
            let noted = reader.note(&STORAGE, source, Wrong { what, fix });
            (None, Err(noted))
        }
        None => (None, in_our_words(reader, &text, source)),
    }
}

fn value(reader: &mut Reader) -> Result<Value, Noted> {
    let [flags, ..] = &reader.layers;
    if let Some(directory) = flags.directory().cloned() {
        if flags.get(&STORAGE).is_some() {
            let wrong = Wrong {
                what: "DIR and --storage are both given".to_owned(),
                fix: "give one of them".to_owned(),
            };
            let source = Source::Flag(STORAGE.name);
            return Err(reader.note(&STORAGE, source, wrong));
        }
        return Ok(directory);
    }
    if let Some(value) = reader.find(&STORAGE) {
        return Ok(value.clone());
    }
    let source = Source::Default;
    if let Some(text) = default_directory() {
        return Ok(Value { text, source });
    }
    let wrong = Wrong {
        what: "no place to keep charts is given, and the user has no data directory".to_owned(),
        fix: PLACES.to_owned(),
    };
    Err(reader.note(&STORAGE, source, wrong))
}

/// The user's data directory, as `helm serve` kept its local repository below the user's home.
fn default_directory() -> Option<String> {
    let directory = dirs::data_dir()?.join("chartroom").join("charts");
    directory.to_str().map(str::to_owned)
}

const PLACES: &str = "give a directory, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:///path or memory:";

fn in_our_words(reader: &mut Reader, text: &str, source: Source) -> Result<Location, Noted> {
    text.parse().map_err(|error| {
        let what = format!("{error}");
        let fix = PLACES.to_owned();
        reader.note(&STORAGE, source, Wrong { what, fix })
    })
}

fn of_backend(reader: &mut Reader, backend: Backend, source: Source) -> Result<Location, Noted> {
    match backend {
        Backend::Local => {
            if let Some(Value { text, .. }) = reader.find_any(&STORAGE_LOCAL_ROOTDIR) {
                return Ok(Location::Directory(text.into()));
            }
            Err(reader.note(&STORAGE, source, lacking(backend, &STORAGE_LOCAL_ROOTDIR)))
        }
        Backend::Bucket(bucket) => {
            if let Some(name) = reader.find_any(bucket.name_option).cloned() {
                return of_bucket(reader, bucket, &name);
            }
            Err(reader.note(&STORAGE, source, lacking(backend, bucket.name_option)))
        }
        Backend::Absent(absent) => {
            let what = format!("chartroom has no storage backend `{}`", absent.name);
            let fix = absent.instead.to_owned();
            Err(reader.note(&STORAGE, source, Wrong { what, fix }))
        }
    }
}

fn lacking(backend: Backend, definition: &Definition) -> Wrong {
    let (backend, option) = (backend.name(), definition.name);
    Wrong {
        what: format!("`{backend}` is a storage backend of ChartMuseum and needs {option}"),
        fix: format!("add {option}, or write ./{backend} for the directory of that name"),
    }
}

fn of_bucket(reader: &mut Reader, bucket: &Bucket, name: &Value) -> Result<Location, Noted> {
    let prefix = reader.find(bucket.prefix_option).cloned();
    if name.text.contains('/') {
        let fix = format!(
            "write what follows the slash as {}",
            bucket.prefix_option.name
        );
        let wrong = Wrong::new(&name.text, "the name of a bucket", &fix);
        return Err(reader.note(bucket.name_option, name.source.clone(), wrong));
    }
    let written = prefix.as_ref().map_or("", |prefix| prefix.text.as_str());
    let url = format!("{}://{}/{}", bucket.scheme, name.text, cleaned(written));
    url.parse().map_err(|error| {
        let is_prefix = matches!(error, chartroom_storage::LocationError::Prefix { .. });
        let (definition, source) = match prefix.filter(|_| is_prefix) {
            Some(prefix) => (bucket.prefix_option, prefix.source),
            None => (bucket.name_option, name.source.clone()),
        };
        let wrong = Wrong {
            what: format!("{error}"),
            fix: "write it as it is in the bucket's URL".to_owned(),
        };
        reader.note(definition, source, wrong)
    })
}

/// ChartMuseum joins a prefix and a name as paths, so that `/a//b/` is `a/b`.
fn cleaned(prefix: &str) -> String {
    let segments: Vec<&str> = prefix
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
        .collect();
    segments.join("/")
}

/// The options of S3 buckets alone.
static S3_ONLY: &[&Definition] = &[
    &STORAGE_REGION,
    &STORAGE_PATH_STYLE,
    &STORAGE_SSE,
    &STORAGE_PROFILE,
];

/// The options of all buckets.
static BUCKETS_ONLY: &[&Definition] = &[&STORAGE_ENDPOINT, &STORAGE_CA_CERT];

fn bucket_options(
    reader: &mut Reader,
    location: &Location,
    variables: Vec<(String, String)>,
) -> Result<BucketOptions, Noted> {
    let service = service(location);
    let is_s3 = service == Some(BucketService::S3);
    let mut misplaced = Ok(());
    for definition in S3_ONLY.iter().filter(|_| !is_s3) {
        misplaced = misplaced.and(refuse(reader, definition, "an S3 bucket"));
    }
    for definition in BUCKETS_ONLY.iter().filter(|_| service.is_none()) {
        misplaced = misplaced.and(refuse(reader, definition, "a bucket"));
    }
    if !is_s3 {
        let endpoint = reader.optional(&STORAGE_ENDPOINT, parse::endpoint);
        let ca_certificate = reader.optional(&STORAGE_CA_CERT, parse::file);
        misplaced?;
        return Ok(BucketOptions {
            endpoint: endpoint?,
            ca_certificate: ca_certificate?,
            variables,
            ..BucketOptions::default()
        });
    }
    let endpoint = reader.optional_of(
        &[&STORAGE_ENDPOINT, &STORAGE_AMAZON_ENDPOINT],
        parse::endpoint,
    );
    let region = reader.optional_of(&[&STORAGE_REGION, &STORAGE_AMAZON_REGION], parse::text);
    let path_style = reader.optional_of(
        &[&STORAGE_PATH_STYLE, &STORAGE_AMAZON_FORCE_PATH_STYLE],
        parse::switch,
    );
    let encryption = reader.optional_of(&[&STORAGE_SSE, &STORAGE_AMAZON_SSE], encryption);
    let ca_certificate = reader.optional(&STORAGE_CA_CERT, parse::file);
    let profile = reader.optional(&STORAGE_PROFILE, parse::text);
    verified(reader, &variables)?;
    Ok(BucketOptions {
        endpoint: endpoint?,
        region: region?,
        path_style: path_style?,
        encryption: encryption?,
        ca_certificate: ca_certificate?,
        profile: profile?,
        variables,
    })
}

fn service(location: &Location) -> Option<BucketService> {
    match location {
        Location::Bucket { service, .. } => Some(*service),
        Location::Directory(_) | Location::Memory => None,
    }
}

fn refuse(reader: &mut Reader, definition: &Definition, place: &str) -> Result<(), Noted> {
    let Some(Value { source, .. }) = reader.find_any(definition).cloned() else {
        return Ok(());
    };
    let wrong = Wrong {
        what: format!("the storage is not {place}"),
        fix: format!("remove it, or give {place} for the storage"),
    };
    Err(reader.note(definition, source, wrong))
}

fn encryption(text: &str) -> Result<Encryption, Wrong> {
    if text.eq_ignore_ascii_case("AES256") {
        return Ok(Encryption::Aes256);
    }
    match text.split_once('=') {
        None if text == "aws:kms" => Ok(Encryption::Kms { key: None }),
        Some(("aws:kms", key)) if !key.is_empty() => Ok(Encryption::Kms {
            key: Some(key.to_owned()),
        }),
        _ => Err(Wrong::new(
            text,
            "an encryption that chartroom asks for",
            "write AES256, aws:kms, or aws:kms=KEY with the id or ARN of a key",
        )),
    }
}

/// ChartMuseum's way to a server with a certificate of an unknown authority.
const SKIP_VERIFY: &str = "AWS_INSECURE_SKIP_VERIFY";

fn verified(reader: &mut Reader, variables: &[(String, String)]) -> Result<(), Noted> {
    let skips =
        |(name, value): &(String, String)| name == SKIP_VERIFY && parse::switch(value) != Ok(false);
    if !variables.iter().any(skips) {
        return Ok(());
    }
    let wrong = Wrong {
        what: "chartroom always checks whom it sends keys and charts to".to_owned(),
        fix: format!(
            "give the authority of the server's certificate as --{}, and remove the variable",
            STORAGE_CA_CERT.name
        ),
    };
    let source = Source::Variable(SKIP_VERIFY.to_owned());
    Err(reader.note(&STORAGE_CA_CERT, source, wrong))
}

/// Says of ChartMuseum's storage options which ones have nothing to do. ChartMuseum is silent about
/// them, so that its configurations may have some; in ours they would be a mistake.
fn unused(reader: &mut Reader, named: Option<Backend>, location: Option<&Location>) {
    let is_s3 = location.is_some_and(|location| service(location) == Some(BucketService::S3));
    let reaches_s3: &[&Definition] = &[
        &STORAGE_AMAZON_ENDPOINT,
        &STORAGE_AMAZON_REGION,
        &STORAGE_AMAZON_SSE,
        &STORAGE_AMAZON_FORCE_PATH_STYLE,
    ];
    for definition in options::ALL {
        let (Group::MuseumStorage, Some(backend)) =
            (definition.group, Backend::of_option(definition))
        else {
            continue;
        };
        let is_used = named.is_some_and(|named| named.name() == backend.name())
            || is_s3 && reaches_s3.iter().any(|used| used.name == definition.name);
        let Some(Value { source, .. }) = reader.find_any(definition).cloned().filter(|_| !is_used)
        else {
            continue;
        };
        let what = format!("the storage is not `{}`", backend.name());
        if reader.museum.is_some() {
            let name = definition.name;
            reader
                .notices
                .push(format!("{name} ({source}) is not used: {what}"));
        } else {
            let fix = format!("give --storage={}, or remove it", backend.name());
            reader.note(definition, source, Wrong { what, fix });
        }
    }
}
