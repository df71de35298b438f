//! Whether provenance is verified.

use std::path::PathBuf;

use super::layers::{Given, Noted, Reader, Source};
use super::options::{KEYRING, PROVENANCE};
use super::parse::{self, Wrong};
use crate::signature::Rule;

/// How provenance is verified at upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenanceSettings {
    /// What becomes of an upload whose provenance proves nothing.
    pub rule: Rule,
    /// The file of the keys that are trusted.
    pub keyring: PathBuf,
}

/// Reads how provenance is verified; `None` is not at all. A rule without keys, or keys without a rule,
/// is a mistake that must not end in a server that takes everything.
pub(super) fn read(reader: &mut Reader) -> Result<Option<ProvenanceSettings>, Noted> {
    let rules = [
        ("off", None),
        ("warn", Some(Rule::Warn)),
        ("require", Some(Rule::Require)),
    ];
    let rule = reader.given(&[&PROVENANCE], |text| parse::choice(text, &rules));
    let keyring = reader.given(&[&KEYRING], parse::file);
    let (rule, keyring) = (rule?, keyring?);
    let is_off_on_purpose = rule
        .as_ref()
        .is_some_and(|given| given.value.is_none() && given.source != Source::Default);
    let rule = rule.and_then(|given| {
        given.value.map(|rule| Given {
            value: rule,
            definition: given.definition,
            source: given.source,
        })
    });
    match (rule, keyring) {
        (None, None) => Ok(None),
        (None, Some(_)) if is_off_on_purpose => Ok(None),
        (Some(rule), _) if cfg!(not(feature = "openpgp")) => {
            let wrong = Wrong {
                what: "this chartroom cannot verify signatures: it was built without the feature openpgp"
                    .to_owned(),
                fix: "build it with the feature openpgp, or remove it to store provenance unverified"
                    .to_owned(),
            };
            Err(reader.note(rule.definition, rule.source, wrong))
        }
        (Some(rule), Some(keyring)) => Ok(Some(ProvenanceSettings {
            rule: rule.value,
            keyring: keyring.value,
        })),
        (Some(rule), None) => Err(reader.lacks(rule, KEYRING.name, UNVERIFIED)),
        (None, Some(keyring)) => Err(reader.lacks(keyring, PROVENANCE.name, UNVERIFIED)),
    }
}

const UNVERIFIED: &str = "store provenance unverified";
