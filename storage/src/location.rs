//! Where a store is, as written in the configuration.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Key, KeyError};

/// The place of a store.
///
/// Read from a path, a `file://` URL, `memory:`, or `s3://bucket/prefix`, `gs://bucket/prefix`,
/// `az://container/prefix`. The prefix of a bucket is taken as written, without percent-decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A directory of this machine.
    Directory(PathBuf),
    /// The memory of this process; gone when it ends.
    Memory,
    /// A bucket of an object store service.
    Bucket {
        /// Which service.
        service: BucketService,
        /// The bucket's (or container's) name.
        name: String,
        /// Where in the bucket everything lies.
        prefix: Option<Key>,
    },
}

/// A service that holds buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketService {
    /// Amazon S3, or a server that speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// Why a text is not a [`Location`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// There is no text at all.
    #[error("the storage location is empty")]
    Empty,
    /// It is a URL of a kind that this program does not know.
    #[error(
        "storage location `{text}` has an unknown scheme; use a path, `file://`, `s3://`, `gs://`, \
         `az://` or `memory:`"
    )]
    UnknownScheme {
        /// The text.
        text: String,
    },
    /// It is a `file:` URL, but not of a file of this machine.
    #[error(
        "storage location `{text}` is not a file URL of this machine; write `file:///` and an \
         absolute path without `?` and `#`"
    )]
    FileUrl {
        /// The text.
        text: String,
    },
    /// It begins with `memory:` and goes on.
    #[error("storage location `{text}` goes on after `memory:`")]
    MemoryUrl {
        /// The text.
        text: String,
    },
    /// It begins like a bucket's URL, but the bucket's name is missing or cannot be one.
    #[error("storage location `{text}` names no bucket; write `{scheme}://bucket/prefix`")]
    BucketName {
        /// The text.
        text: String,
        /// The URL's scheme.
        scheme: &'static str,
    },
    /// What follows the bucket's name is not a prefix of keys.
    #[error("storage location `{text}` has an invalid prefix")]
    Prefix {
        /// The text.
        text: String,
        /// What is wrong with it.
        source: KeyError,
    },
}

impl BucketService {
    /// Returns the scheme of its URLs.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }
}

impl Location {
    /// Reads a location.
    ///
    /// # Errors
    /// Fails if the text is empty, a URL of an unknown scheme, or a URL that lacks something.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        // A path may contain a colon, so it is a URL only where a scheme of ours or `//` follows.
        let Some((scheme, rest)) = text.split_once(':') else {
            return Ok(Self::Directory(text.into()));
        };
        match scheme {
            "file" => parse_file_url(text),
            "memory" if rest.trim_matches('/').is_empty() => Ok(Self::Memory),
            "memory" => Err(LocationError::MemoryUrl { text: text.into() }),
            "s3" => parse_bucket(text, BucketService::S3, rest),
            "gs" => parse_bucket(text, BucketService::Gcs, rest),
            "az" => parse_bucket(text, BucketService::Azure, rest),
            _ if rest.starts_with("//") && !scheme.contains('/') => {
                Err(LocationError::UnknownScheme { text: text.into() })
            }
            _ => Ok(Self::Directory(text.into())),
        }
    }
}

fn parse_file_url(text: &str) -> Result<Location, LocationError> {
    let fail = || LocationError::FileUrl { text: text.into() };
    // The URL parser would make an absolute path out of `file:data`, the root out of `file://`.
    if !text.starts_with("file:///") {
        return Err(fail());
    }
    let url = url::Url::parse(text).map_err(|_| fail())?;
    // Otherwise what follows an unescaped `#` or `?` would be dropped in silence.
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail());
    }
    url.to_file_path()
        .map(Location::Directory)
        .map_err(|()| fail())
}

fn parse_bucket(text: &str, service: BucketService, rest: &str) -> Result<Location, LocationError> {
    let fail = || LocationError::BucketName {
        text: text.into(),
        scheme: service.scheme(),
    };
    let rest = rest.strip_prefix("//").ok_or_else(fail)?;
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._$".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(fail());
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let prefix = if prefix.is_empty() {
        None
    } else {
        let key = Key::parse(prefix).map_err(|source| LocationError::Prefix {
            text: text.into(),
            source,
        })?;
        Some(key)
    };
    Ok(Location::Bucket {
        service,
        name: name.into(),
        prefix,
    })
}

impl From<PathBuf> for Location {
    fn from(directory: PathBuf) -> Self {
        Self::Directory(directory)
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        Self::parse(text)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(formatter, "{}", path.display()),
            Self::Memory => formatter.write_str("memory:"),
            Self::Bucket {
                service,
                name,
                prefix,
            } => {
                write!(formatter, "{}://{name}", service.scheme())?;
                if let Some(prefix) = prefix {
                    write!(formatter, "/{prefix}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_read() {
        let cases = [
            ("/var/charts", Location::Directory("/var/charts".into())),
            ("charts", Location::Directory("charts".into())),
            ("./a:b", Location::Directory("./a:b".into())),
            ("a/b://c", Location::Directory("a/b://c".into())),
            ("file:///a%20b", Location::Directory("/a b".into())),
            ("memory:", Location::Memory),
            ("memory://", Location::Memory),
        ];
        for (text, expected) in cases {
            assert_eq!(Location::parse(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            Location::parse("s3://bucket/some/prefix/").unwrap(),
            Location::Bucket {
                service: BucketService::S3,
                name: "bucket".into(),
                prefix: Some(Key::parse("some/prefix").unwrap()),
            }
        );
        for text in ["s3://bucket", "gs://bucket/a%20b", "az://$web/a"] {
            assert_eq!(Location::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        use LocationError::{BucketName, Empty, FileUrl, MemoryUrl, Prefix, UnknownScheme};
        let fails = |text: &str| Location::parse(text).unwrap_err();
        assert!(matches!(fails(""), Empty));
        assert!(matches!(fails("http://host/a"), UnknownScheme { .. }));
        assert!(matches!(fails("file://host/a"), FileUrl { .. }));
        assert!(matches!(fails("file:a"), FileUrl { .. }));
        assert!(matches!(fails("file:///a#b"), FileUrl { .. }));
        assert!(matches!(fails("file:///a?b"), FileUrl { .. }));
        assert!(matches!(fails("memory:x"), MemoryUrl { .. }));
        assert!(matches!(fails("s3:bucket"), BucketName { .. }));
        assert!(matches!(fails("s3:///prefix"), BucketName { .. }));
        assert!(matches!(fails("gs://user@bucket"), BucketName { .. }));
        assert!(matches!(fails("az://bucket/../a"), Prefix { .. }));
    }
}
