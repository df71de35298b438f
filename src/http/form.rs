//! Uploads as multipart/form-data: helm's cm-push, and `curl -F`.

use bytes::{Bytes, BytesMut};
use multer::{Field, Multipart};

use super::error::ApiError;
use super::incoming::{BodyError, Incoming};

/// How many wrong names a reply repeats, and how much of each.
const NAMES_SHOWN: usize = 8;
const LETTERS_SHOWN: usize = 40;

/// The files of a form.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) chart: Option<Bytes>,
    pub(super) provenance: Option<Bytes>,
}

/// Why a form holds nothing that can be stored. ChartMuseum has one text for all; what was found
/// instead is in the hint.
#[derive(Debug, thiserror::Error)]
#[error("no package or provenance file found in form fields chart and prov")]
pub(super) struct FormError {
    found: Found,
}

#[derive(Debug)]
enum Found {
    Broken(multer::Error),
    /// A field of ours without a file: `-F chart=./x.tgz` instead of `-F chart=@./x.tgz`.
    Text {
        field: String,
    },
    Others(Vec<String>),
}

impl FormError {
    /// Returns what to do about it.
    pub(super) fn hint(&self) -> String {
        match &self.found {
            Found::Broken(error) => format!("the form cannot be read: {error}"),
            Found::Text { field } => format!(
                "the field {field} holds a text, not a file: did you forget the @? curl -F {field}=@mychart-0.1.0.tgz"
            ),
            Found::Others(names) if names.is_empty() => {
                "the form is empty: curl -F chart=@mychart-0.1.0.tgz".to_owned()
            }
            Found::Others(names) => {
                let names = names.join(", ");
                format!(
                    "the form has the fields {names}: send the file in the field chart, curl -F chart=@mychart-0.1.0.tgz"
                )
            }
        }
    }
}

/// Reads the files in the fields `chart` and `prov`, the first of each. As in ChartMuseum, only parts
/// with a file name count, and the name itself does not. Other parts are passed over without being
/// kept.
pub(super) async fn read(content_type: &str, body: Incoming) -> Result<Form, ApiError> {
    let boundary = multer::parse_boundary(content_type).map_err(broken)?;
    let mut parts = Multipart::new(body, boundary);
    let mut form = Form::default();
    let mut others = Vec::new();
    let mut text = None;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let slot = match name.as_str() {
            "chart" => &mut form.chart,
            "prov" => &mut form.provenance,
            _ => {
                note(&mut others, &name);
                continue;
            }
        };
        if part.file_name().is_none() {
            text = text.or(Some(name));
        } else if slot.is_none() {
            *slot = Some(whole(part).await?);
        }
    }
    if form.chart.is_some() || form.provenance.is_some() {
        return Ok(form);
    }
    let found = text.map_or(Found::Others(others), |field| Found::Text { field });
    Err(FormError { found }.into())
}

async fn whole(mut part: Field<'_>) -> Result<Bytes, ApiError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn note(names: &mut Vec<String>, name: &str) {
    let shown: String = name.chars().take(LETTERS_SHOWN).collect();
    let shown = format!("{shown:?}");
    if names.len() < NAMES_SHOWN && !names.contains(&shown) {
        names.push(shown);
    }
}

/// A body over its limit or deadline comes back out of the parser as the source of its error.
fn broken(error: multer::Error) -> ApiError {
    if let multer::Error::StreamReadFailed(source) = &error
        && let Some(error) = source.downcast_ref::<BodyError>()
    {
        return error.clone().into();
    }
    FormError {
        found: Found::Broken(error),
    }
    .into()
}
