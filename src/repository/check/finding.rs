//! What a check finds.

use std::fmt;

use serde::{Serialize, Serializer};

/// Something about one file that a person may want to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// The file's name; empty for the repository as a whole.
    pub file: String,
    /// What is wrong, in words.
    pub what: String,
    /// What a repair does about it; nothing if it cannot be mended by the protocol's operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<&'static str>,
    /// What a person can do about it, where a repair cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Whether this very check mended it.
    pub mended: bool,
    /// Why a repair left it as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_because: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Clients see something wrong, or cannot get something that was put.
    Error,
    /// Nobody sees it yet, or somebody else's mistake is being worked around.
    Warning,
    /// Nothing is wrong.
    Information,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)*) => {
        /// What kind of thing was found. The names are stable: scripts may look for them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Returns the kind's name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The index lists an archive whose object is gone.
    MissingArchive = "missing-archive",
    /// An archive is in the store and not in the log: a crashed upload, or put by hand.
    UnlistedArchive = "unlisted-archive",
    /// The object is not the one that the log lists: replaced, copied or restored.
    ReplacedArchive = "replaced-archive",
    /// The object is the one that the log lists, but its bytes are not.
    DigestMismatch = "digest-mismatch",
    /// The archive cannot be read by helm.
    UnreadableArchive = "unreadable-archive",
    /// The archive has no bytes at all.
    EmptyArchive = "empty-archive",
    /// Another archive holds the same name and version and is the one that is shown.
    DuplicateVersion = "duplicate-version",
    /// The archive is called otherwise than `<name>-<version>.tgz`.
    OtherFileName = "other-file-name",
    /// The file ends like an archive or a provenance, but its name cannot be served.
    UnusableFileName = "unusable-file-name",
    /// A deletion began and has not ended.
    OpenDeletion = "open-deletion",
    /// A provenance whose archive is neither in the store nor in the log.
    OrphanedProvenance = "orphaned-provenance",
    /// A provenance that is of another chart or version than its archive.
    ForeignProvenance = "foreign-provenance",
    /// A provenance whose digest is not that of its archive.
    ProvenanceMismatch = "provenance-mismatch",
    /// A file that ends in `.tgz.prov` and is no provenance.
    InvalidProvenance = "invalid-provenance",
    /// There is no log yet.
    NoLog = "no-log",
    /// ChartMuseum's cached index.
    ChartmuseumCache = "chartmuseum-cache",
    /// An `index.yaml` that somebody wrote; it is not the one that is served.
    StaticIndex = "static-index",
    /// A file that is none of a repository's.
    ForeignFile = "foreign-file",
    /// A file that changed each time it was looked at.
    ChangedMeanwhile = "changed-meanwhile",
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "info",
        })
    }
}

impl Finding {
    pub(super) fn new(kind: Kind, severity: Severity, file: &str, what: impl Into<String>) -> Self {
        Self {
            kind,
            severity,
            file: file.to_owned(),
            what: what.into(),
            repair: None,
            advice: None,
            mended: false,
            left_because: None,
        }
    }

    /// Says what a repair does.
    #[must_use]
    pub(super) fn mendable(mut self, repair: &'static str) -> Self {
        self.repair = Some(repair);
        self
    }

    /// Says what a person can do.
    #[must_use]
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Returns whether something is wrong still.
    pub fn remains(&self) -> bool {
        self.severity != Severity::Information && !self.mended
    }

    /// Returns what tells it from any other finding of one check.
    pub(super) fn subject(&self) -> (Kind, &str) {
        (self.kind, &self.file)
    }

    /// Returns whether an operation that is under way may look so for a moment.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self.kind,
            Kind::MissingArchive
                | Kind::UnlistedArchive
                | Kind::ReplacedArchive
                | Kind::DigestMismatch
                | Kind::OpenDeletion
                | Kind::OrphanedProvenance
                | Kind::ForeignProvenance
                | Kind::ProvenanceMismatch
                | Kind::ChangedMeanwhile
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_kinds_are_distinct_and_in_kebab_case() {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        for name in &names {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{name}"
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    #[test]
    fn every_kind_is_documented() {
        let document = include_str!("../../../docs/check.md");
        for kind in Kind::ALL {
            let name = format!("`{kind}`");
            assert!(document.contains(&name), "{name} is not in docs/check.md");
        }
    }
}
