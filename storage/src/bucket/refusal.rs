//! What a service says when it does not do what it was asked.

use std::fmt;

use object_store::HeaderMap;

use crate::StorageErrorKind;

/// So much of an answer's own words is kept.
const WORDS: usize = 300;

/// An answer other than the one that was hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    kind: StorageErrorKind,
    meaning: Meaning,
    status: u16,
    code: Option<String>,
    words: Option<String>,
}

/// What such an answer means, as far as a person can do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// What its own words say.
    Itself,
    NoBucket,
    Expired,
    WrongClock,
    OtherRegion(Option<String>),
    NoStore,
}

/// The parts of an answer that tell what it means.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    code: Option<String>,
    words: Option<String>,
    region: Option<String>,
}

/// What was asked, as far as it matters for the meaning of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Answers to HEAD have no body that could tell anything.
    pub(super) head: bool,
    /// A write on the condition that there is no such object.
    pub(super) create: bool,
}

/// What to do with an answer that is not a success.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The library understands it: no such object, or an object where none should be.
    Understood,
    /// Nothing was done because of another request at the same moment: ask again.
    Conflict(Refusal),
    Refused(Refusal),
}

impl Answer {
    /// Reads the answer's error, whose form is XML, or JSON where tokens are given out.
    pub(super) fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let text = String::from_utf8_lossy(body);
        let code = header("x-ms-error-code").or_else(|| element(&text, "Code"));
        let words = if code.is_some() {
            element(&text, "Message")
        } else {
            Some(text.into_owned())
        };
        let region = header("x-amz-bucket-region")
            .or_else(|| element(&String::from_utf8_lossy(body), "Region"));
        Self {
            status,
            code: code.map(|code| shorten(&code)),
            words: words
                .map(|words| shorten(&words))
                .filter(|words| !words.is_empty()),
            region: region.map(|region| shorten(&region)),
        }
    }

    /// Tells what the answer to a question about objects means.
    pub(super) fn judge(self, question: Question) -> Verdict {
        use StorageErrorKind::{Corrupt, Denied, Unavailable, Unsupported};
        let code = self.code.as_deref().unwrap_or_default();
        let (kind, meaning) = match (self.status, code) {
            (404, "NoSuchKey" | "BlobNotFound") => return Verdict::Understood,
            // Whether the object or the bucket is missing, the second look tells.
            (404, "") if question.head => return Verdict::Understood,
            (_, "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted") => {
                (Unavailable, Meaning::NoBucket)
            }
            // Also from a proxy whose server is gone, or a web server that is no object store: it
            // says nothing of the object.
            (404, _) => (Unavailable, Meaning::NoStore),
            (304 | 412, _) | (409, "BlobAlreadyExists") if question.create => {
                return Verdict::Understood;
            }
            // S3 refuses one of two requests for the same object at the same moment; it may be the
            // only one that could succeed.
            (409, "ConditionalRequestConflict" | "OperationAborted") => {
                return Verdict::Conflict(self.refusal(Unavailable, Meaning::Itself));
            }
            (
                _,
                "ExpiredToken"
                | "ExpiredTokenException"
                | "TokenRefreshRequired"
                | "RequestExpired",
            ) => (Denied, Meaning::Expired),
            (_, "RequestTimeTooSkewed") => (Denied, Meaning::WrongClock),
            (
                _,
                "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
                | "PermanentRedirect"
                | "TemporaryRedirect",
            ) => (Unavailable, self.other_region()),
            // HEAD has no code, but the header is there.
            (301 | 307 | 400, _) if self.region.is_some() => (Unavailable, self.other_region()),
            (300..=399, _) => (Unavailable, Meaning::NoStore),
            (_, "QuotaExceeded" | "ServerBusy") => (Unavailable, Meaning::Itself),
            (401 | 403, _)
            | (_, "InvalidToken" | "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
                (Denied, Meaning::Itself)
            }
            (_, code) if code.starts_with("KMS.") || code.starts_with("LeaseId") => {
                (Denied, Meaning::Itself)
            }
            (_, "BlobImmutableDueToPolicy" | "InvalidObjectState") => (Denied, Meaning::Itself),
            (416, _) => (Corrupt, Meaning::Itself),
            (405 | 501, _) | (_, "KeyTooLongError" | "EntityTooLarge" | "InvalidBucketName") => {
                (Unsupported, Meaning::Itself)
            }
            // MinIO and versitygw keep objects in files: where a file is there can be no folder.
            (
                _,
                "XMinioInvalidObjectName"
                | "XMinioParentIsObject"
                | "XMinioObjectExistsAsDirectory"
                | "ObjectParentIsFile"
                | "ExistingObjectIsDirectory"
                | "InvalidResourceName"
                | "InvalidBlobType",
            ) => (Unsupported, Meaning::Itself),
            (400..=499, "") => (Unavailable, Meaning::NoStore),
            _ => (Unavailable, Meaning::Itself),
        };
        Verdict::Refused(self.refusal(kind, meaning))
    }

    fn other_region(&self) -> Meaning {
        Meaning::OtherRegion(self.region.clone())
    }

    /// Returns the answer as a refusal to give credentials.
    pub(super) fn deny(self) -> Refusal {
        let meaning = match self.code.as_deref() {
            Some("ExpiredToken" | "ExpiredTokenException") => Meaning::Expired,
            _ => Meaning::Itself,
        };
        self.refusal(StorageErrorKind::Denied, meaning)
    }

    fn refusal(self, kind: StorageErrorKind, meaning: Meaning) -> Refusal {
        Refusal {
            kind,
            meaning,
            status: self.status,
            code: self.code,
            words: self.words,
        }
    }
}

impl Refusal {
    /// Returns the refusal for an answer of success that is not what the service would send.
    pub(super) fn not_a_store(status: u16, words: &str) -> Self {
        Self {
            kind: StorageErrorKind::Unavailable,
            meaning: Meaning::NoStore,
            status,
            code: None,
            words: Some(shorten(words)),
        }
    }

    pub(super) fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// Tells whether a question whose answers have a body may learn more.
    pub(super) fn says_nothing(&self) -> bool {
        self.code.is_none() && (300..500).contains(&self.status)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.meaning {
            Meaning::Itself => {}
            Meaning::NoBucket => {
                formatter.write_str("the bucket does not exist, make it or correct its name: ")?;
            }
            Meaning::Expired => formatter.write_str("the credentials have expired: ")?,
            Meaning::WrongClock => {
                formatter.write_str("the clock of this machine or of the server is wrong: ")?;
            }
            Meaning::OtherRegion(Some(region)) => {
                write!(
                    formatter,
                    "the bucket is in the region `{region}`, set that: "
                )?;
            }
            Meaning::OtherRegion(None) => {
                formatter
                    .write_str("the bucket is in another region than the one that is set: ")?;
            }
            Meaning::NoStore => {
                formatter.write_str(
                    "the endpoint does not answer like an object store, check its URL: ",
                )?;
            }
        }
        write!(formatter, "it answered {}", self.status)?;
        if let Some(code) = &self.code {
            write!(formatter, " {code}")?;
        }
        if let Some(words) = &self.words {
            write!(formatter, ", {words:?}")?;
        }
        Ok(())
    }
}

/// Returns the text of the first element of this name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.to_owned())
}

/// One line, not too long.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Question = Question {
        head: false,
        create: false,
    };
    const CREATE: Question = Question {
        head: false,
        create: true,
    };
    const HEAD: Question = Question {
        head: true,
        create: false,
    };

    fn judge(status: u16, code: &str, question: Question) -> Verdict {
        let body = if code.is_empty() {
            String::new()
        } else {
            format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
        };
        Answer::read(status, &HeaderMap::new(), body.as_bytes()).judge(question)
    }

    fn refused(status: u16, code: &str, question: Question) -> Refusal {
        match judge(status, code, question) {
            Verdict::Refused(refusal) => refusal,
            other => panic!("{status} {code}: {other:?}"),
        }
    }

    #[test]
    fn only_the_service_can_say_that_an_object_is_missing() {
        for code in ["NoSuchKey", "BlobNotFound"] {
            assert_eq!(judge(404, code, GET), Verdict::Understood, "{code}");
        }
        for code in [
            "",
            "NoSuchBucket",
            "ContainerNotFound",
            "ResourceNotFound",
            "NoSuchUpload",
        ] {
            let refusal = refused(404, code, GET);
            assert_eq!(refusal.kind(), StorageErrorKind::Unavailable, "{code}");
        }
        assert_eq!(judge(404, "", HEAD), Verdict::Understood);
    }

    #[test]
    fn only_a_create_can_find_an_object_in_its_place() {
        for (status, code) in [
            (412, "PreconditionFailed"),
            (412, ""),
            (304, ""),
            (409, "BlobAlreadyExists"),
        ] {
            assert_eq!(judge(status, code, CREATE), Verdict::Understood, "{status}");
        }
        assert_eq!(
            refused(412, "LeaseIdMissing", GET).kind(),
            StorageErrorKind::Denied
        );
        assert_eq!(
            refused(409, "ContainerBeingDeleted", CREATE).kind(),
            StorageErrorKind::Unavailable
        );
        assert!(matches!(
            judge(409, "ConditionalRequestConflict", CREATE),
            Verdict::Conflict(_)
        ));
    }

    #[test]
    fn refusals_have_their_kind() {
        use StorageErrorKind::{Corrupt, Denied, Unavailable, Unsupported};
        for (status, code, expected) in [
            (403, "AccessDenied", Denied),
            (403, "", Denied),
            (401, "", Denied),
            (403, "InvalidAccessKeyId", Denied),
            (400, "ExpiredToken", Denied),
            (400, "InvalidToken", Denied),
            (403, "RequestTimeTooSkewed", Denied),
            (400, "KMS.DisabledException", Denied),
            (301, "PermanentRedirect", Unavailable),
            (302, "", Unavailable),
            (400, "AuthorizationHeaderMalformed", Unavailable),
            (400, "", Unavailable),
            (400, "BadDigest", Unavailable),
            (416, "InvalidRange", Corrupt),
            (405, "MethodNotAllowed", Unsupported),
            (501, "NotImplemented", Unsupported),
            (400, "KeyTooLongError", Unsupported),
            (429, "", Unavailable),
            (500, "InternalError", Unavailable),
            (503, "SlowDown", Unavailable),
        ] {
            assert_eq!(
                refused(status, code, GET).kind(),
                expected,
                "{status} {code}"
            );
        }
    }

    #[test]
    fn the_text_says_what_to_do() {
        let xml = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region\n is \
                   wrong</Message><Region>eu-west-1</Region></Error>";
        let answer = Answer::read(400, &HeaderMap::new(), xml.as_bytes());
        let Verdict::Refused(refusal) = answer.judge(GET) else {
            panic!("it is a refusal");
        };
        assert_eq!(
            refusal.to_string(),
            "the bucket is in the region `eu-west-1`, set that: it answered 400 \
             AuthorizationHeaderMalformed, \"the region is wrong\""
        );
        assert_eq!(
            refused(404, "NoSuchBucket", GET).to_string(),
            "the bucket does not exist, make it or correct its name: it answered 404 NoSuchBucket, \"m\""
        );
        let page = "é".repeat(10_000);
        let long = Answer::read(404, &HeaderMap::new(), page.as_bytes()).judge(GET);
        let Verdict::Refused(long) = long else {
            panic!("it is a refusal");
        };
        assert!(long.to_string().len() < 1000);
    }
}
