//! Files of an archive by their path in the chart, for those who want to look at them.

use std::io::Read;

use super::gunzip::Gunzip;
use super::tar::{Kind, Tar};
use super::{ArchiveError, check_size, path};
use crate::chart::limits::Limits;

const VALUES: &str = "values.yaml";
const TEMPLATES: &str = "templates/";

/// What people look at in a chart without rendering it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The files below `templates/` with their paths in the chart, in the archive's order. Those of
    /// sub-charts are not among them.
    pub templates: Vec<(String, Vec<u8>)>,
    /// `values.yaml` as it is.
    pub values: Option<Vec<u8>>,
}

/// Returns the templates and the values of an archive, which is read piece by piece.
///
/// # Errors
/// When the archive is damaged or inflates to more than `limits`, or when the templates and the values together
/// exceed `limits.extracted_bytes`. The chart itself is not checked.
pub fn contents(input: &mut dyn Read, limits: &Limits) -> Result<Contents, ArchiveError> {
    let is_wanted = |path: &str| path == VALUES || path.starts_with(TEMPLATES);
    let mut contents = Contents::default();
    for (path, content) in files_of(input, limits, is_wanted)? {
        if path == VALUES {
            contents.values = Some(content);
        } else {
            contents.templates.push((path, content));
        }
    }
    Ok(contents)
}

/// Returns one file of an archive by its path in the chart, such as `values.yaml`; the last one
/// counts when there are several, as in Helm.
///
/// # Errors
/// When the archive is damaged or exceeds `limits`. The chart itself is not checked.
pub fn file(bytes: &[u8], path: &str, limits: &Limits) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut files = files(bytes, limits, |candidate| candidate == path)?;
    Ok(files.pop().map(|(_, content)| content))
}

/// Returns the files of an archive whose paths in the chart are `wanted`, in the archive's order.
/// A UTF-8 byte order mark is cut off.
///
/// # Errors
/// When the archive is damaged or exceeds `limits`. The chart itself is not checked.
pub fn files(
    bytes: &[u8],
    limits: &Limits,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    check_size(bytes, limits)?;
    let mut input = bytes;
    files_of(&mut input, limits, wanted)
}

fn files_of(
    input: &mut dyn Read,
    limits: &Limits,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
    let mut gunzip = Gunzip::new(input, limits)?;
    let mut tar = Tar::new(&mut gunzip);
    let mut entries = limits.entries;
    let mut remaining = limits.content_bytes;
    let mut extracted: usize = 0;
    let mut files = Vec::new();
    while let Some(entry) = tar.next(limits, &mut entries)? {
        if entry.kind == Kind::Directory {
            continue;
        }
        let path = path::inside(&entry.name)?;
        entry.check_size(limits, &mut remaining)?;
        if wanted(&path) {
            let mut content = Vec::new();
            tar.body().read_to_end(&mut content)?;
            if content.starts_with(b"\xEF\xBB\xBF") {
                content.drain(..3);
            }
            extracted = extracted.saturating_add(content.len());
            if extracted > limits.extracted_bytes {
                return Err(ArchiveError::ExtractedTooLarge(limits.extracted_bytes));
            }
            files.push((path, content));
        }
    }
    Ok(files)
}
