//! Uploads as multipart/form-data: helm's cm-push, and `curl -F`.

use bytes::{Bytes, BytesMut};
use multer::{Field, Multipart};

use super::error::ApiError;
use super::incoming::{BodyError, Incoming};
use super::settings::Settings;

/// How many wrong names a reply repeats, and how much of each.
const NAMES_SHOWN: usize = 8;
const LETTERS_SHOWN: usize = 40;

/// The files of a form.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) chart: Option<Bytes>,
    pub(super) provenance: Option<Bytes>,
}

/// The fields that are configured to hold the files, besides `chart` and `prov`.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    chart: String,
    provenance: String,
}

/// ChartMuseum's own names, which stay valid when others are configured: helm's cm-push knows no
/// other one.
const CHART: &str = "chart";
const PROVENANCE: &str = "prov";

impl From<&Settings> for Fields {
    fn from(settings: &Settings) -> Self {
        Self {
            chart: settings.chart_field.clone(),
            provenance: settings.provenance_field.clone(),
        }
    }
}

/// Why a form holds nothing that can be stored. What was found instead is in the hint.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(super) struct FormError {
    fields: Fields,
    found: Found,
}

#[derive(Debug)]
enum Found {
    Broken(multer::Error),
    /// A field of ours without a file: `-F chart=./x.tgz` instead of `-F chart=@./x.tgz`.
    Text {
        field: String,
    },
    /// Different files in a field's two names.
    Two {
        field: &'static str,
        configured: String,
    },
    Others(Vec<String>),
}

impl FormError {
    /// Returns ChartMuseum's one text for all, but for what it takes.
    fn text(&self) -> String {
        match &self.found {
            Found::Two { field, configured } => {
                format!("the form fields {field} and {configured} hold different files")
            }
            Found::Broken(_) | Found::Text { .. } | Found::Others(_) => {
                let Fields { chart, provenance } = &self.fields;
                format!(
                    "no package or provenance file found in form fields {chart} and {provenance}"
                )
            }
        }
    }

    /// Returns what to do about it.
    pub(super) fn hint(&self) -> String {
        let chart = &self.fields.chart;
        match &self.found {
            Found::Broken(error) => format!("the form cannot be read: {error}"),
            Found::Text { field } => format!(
                "the field {field} holds a text, not a file: did you forget the @? curl -F {field}=@mychart-0.1.0.tgz"
            ),
            Found::Two { .. } => "a form is one chart: send one file at a time".to_owned(),
            Found::Others(names) if names.is_empty() => {
                format!("the form is empty: curl -F {chart}=@mychart-0.1.0.tgz")
            }
            Found::Others(names) => {
                let names = names.join(", ");
                format!(
                    "the form has the fields {names}: send the file in the field {chart}, curl -F {chart}=@mychart-0.1.0.tgz"
                )
            }
        }
    }
}

/// The first file of each field that counts.
#[derive(Default)]
struct Slots {
    chart: Option<Bytes>,
    configured_chart: Option<Bytes>,
    provenance: Option<Bytes>,
    configured_provenance: Option<Bytes>,
}

impl Slots {
    /// Returns the place of a field, by the names in ChartMuseum's order.
    fn of(&mut self, name: &str, fields: &Fields) -> Option<&mut Option<Bytes>> {
        Some(match name {
            CHART => &mut self.chart,
            name if name == fields.chart => &mut self.configured_chart,
            PROVENANCE => &mut self.provenance,
            name if name == fields.provenance => &mut self.configured_provenance,
            _ => return None,
        })
    }

    /// ChartMuseum would store both of two different files. Here a form is one chart, and what is not
    /// stored must not be answered with 201.
    fn form(self, fields: &Fields) -> Result<Form, FormError> {
        let two = |field, configured: &String| FormError {
            fields: fields.clone(),
            found: Found::Two {
                field,
                configured: configured.clone(),
            },
        };
        Ok(Form {
            chart: one(self.chart, self.configured_chart)
                .map_err(|Different| two(CHART, &fields.chart))?,
            provenance: one(self.provenance, self.configured_provenance)
                .map_err(|Different| two(PROVENANCE, &fields.provenance))?,
        })
    }
}

struct Different;

fn one(first: Option<Bytes>, second: Option<Bytes>) -> Result<Option<Bytes>, Different> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => Err(Different),
        (first, second) => Ok(first.or(second)),
    }
}

/// Reads the files in the fields of the chart and the provenance, the first of each. As in
/// ChartMuseum, only parts with a file name count, and the name itself does not. Other parts are
/// passed over without being kept.
pub(super) async fn read(
    content_type: &str,
    body: Incoming,
    fields: Fields,
) -> Result<Form, ApiError> {
    let broken = |error| broken(error, &fields);
    let boundary = multer::parse_boundary(content_type).map_err(broken)?;
    let mut parts = Multipart::new(body, boundary);
    let mut slots = Slots::default();
    let mut others = Vec::new();
    let mut text = None;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let Some(slot) = slots.of(&name, &fields) else {
            note(&mut others, &name);
            continue;
        };
        if part.file_name().is_none() {
            text = text.or(Some(name));
        } else if slot.is_none() {
            *slot = Some(whole(part).await.map_err(broken)?);
        }
    }
    let form = slots.form(&fields)?;
    if form.chart.is_some() || form.provenance.is_some() {
        return Ok(form);
    }
    let found = text.map_or(Found::Others(others), |field| Found::Text { field });
    Err(FormError { fields, found }.into())
}

async fn whole(mut part: Field<'_>) -> Result<Bytes, multer::Error> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = part.chunk().await? {
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
fn broken(error: multer::Error, fields: &Fields) -> ApiError {
    if let multer::Error::StreamReadFailed(source) = &error
        && let Some(error) = source.downcast_ref::<BodyError>()
    {
        return error.clone().into();
    }
    FormError {
        fields: fields.clone(),
        found: Found::Broken(error),
    }
    .into()
}
