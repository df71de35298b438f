//! What the API allows.

use std::collections::BTreeMap;

use axum::http::HeaderValue;
use chartroom_storage::RepositoryPath;

use super::layers::{Noted, Reader};
use super::options::{
    ALLOW_OVERWRITE, ARTIFACT_HUB_REPO_ID, CHART_POST_FORM_FIELD_NAME, CLIENT_RATE, CONTEXT_PATH,
    CORS_ALLOWORIGIN, DEPTH, DEPTH_DYNAMIC, DISABLE_API, DISABLE_DELETE, DISABLE_FORCE_OVERWRITE,
    Definition, ENABLE_METRICS, INDEX_FORMAT, JSON_INDEX, LOG_HEALTH, LOG_LATENCY_INTEGER,
    MAX_UPLOAD_SIZE, MAX_UPLOADS, PROV_POST_FORM_FIELD_NAME, READ_TIMEOUT, TRUSTED_PROXIES,
};
use super::parse::{self, Wrong};
use crate::http::Hosts;
use crate::http::settings::{ContextPath, Depth, IndexFormat, Overwriting, Settings};
use crate::signature::Policy;
use crate::telemetry::LogFormat;

/// Reads what the API allows.
pub(super) fn read(reader: &mut Reader) -> Result<Settings, Noted> {
    let formats = [
        ("auto", IndexFormat::Auto),
        ("yaml", IndexFormat::Yaml),
        ("json", IndexFormat::Json),
    ];
    let context_path = reader.value(&CONTEXT_PATH, context_path);
    let depth = depth(reader);
    let disable_api = reader.value(&DISABLE_API, parse::switch);
    let disable_delete = reader.value(&DISABLE_DELETE, parse::switch);
    let index_format = reader.value_or_switch(
        &INDEX_FORMAT,
        |text| parse::choice(text, &formats),
        &JSON_INDEX,
        IndexFormat::Json,
    );
    let max_upload_size = reader.value(&MAX_UPLOAD_SIZE, parse::size);
    let max_uploads = reader.value(&MAX_UPLOADS, parse::count);
    let client_rate = reader.value(&CLIENT_RATE, parse::rate);
    let trusted_proxies = reader.value(&TRUSTED_PROXIES, parse::networks);
    let read_timeout = reader.value(&READ_TIMEOUT, parse::deadline);
    let overwriting = overwriting(reader);
    let fields = fields(reader);
    let cors_allow_origin = reader.optional(&CORS_ALLOWORIGIN, origin);
    let artifact_hub_ids = reader.value(&ARTIFACT_HUB_REPO_ID, artifact_hub_ids);
    let metrics = reader.value(&ENABLE_METRICS, parse::switch);
    let log_health = reader.value(&LOG_HEALTH, parse::switch);
    let log_latency_integer = reader.value(&LOG_LATENCY_INTEGER, parse::switch);
    let (depth, artifact_hub_ids) = (depth?, artifact_hub_ids?);
    unreachable(reader, depth, &artifact_hub_ids);
    let (chart_field, provenance_field) = fields?;
    Ok(Settings {
        context_path: context_path?,
        depth,
        api: !disable_api?,
        delete: !disable_delete?,
        index_format: index_format?,
        max_upload_size: max_upload_size?,
        max_uploads: max_uploads?,
        client_rate: client_rate?,
        trusted_proxies: trusted_proxies?.into(),
        // They depend on the listener, which is read elsewhere.
        hosts: Hosts::default(),
        read_timeout: read_timeout?,
        overwriting: overwriting?,
        chart_field,
        provenance_field,
        // Read from its file where the server starts.
        provenance: Policy::default(),
        cors_allow_origin: cors_allow_origin?,
        artifact_hub_ids,
        metrics: metrics?,
        // That of the other lines, which is read elsewhere.
        log_format: LogFormat::Text,
        log_health: log_health?,
        log_latency_integer: log_latency_integer?,
    })
}

fn context_path(text: &str) -> Result<ContextPath, Wrong> {
    ContextPath::parse(text).map_err(|error| Wrong {
        what: error.to_string(),
        fix:
            "write a path such as /charts, of letters, digits and signs that a URL need not escape"
                .to_owned(),
    })
}

/// As in ChartMuseum, --depth-dynamic wins.
fn depth(reader: &mut Reader) -> Result<Depth, Noted> {
    let fixed = reader.value(&DEPTH, fixed_depth);
    let dynamic = reader.value(&DEPTH_DYNAMIC, parse::switch);
    match (fixed?, dynamic?) {
        (fixed, false) => Ok(Depth::Fixed(fixed)),
        (fixed, true) => {
            if fixed > 0 {
                reader.notices.push(format!(
                    "{} is not used: {} is on",
                    DEPTH.name, DEPTH_DYNAMIC.name
                ));
            }
            Ok(Depth::Dynamic)
        }
    }
}

fn fixed_depth(text: &str) -> Result<usize, Wrong> {
    match text.parse() {
        Ok(depth) if depth <= Depth::MOST => Ok(depth),
        _ => {
            let fix = format!(
                "write a number from 0 to {}, or use depth-dynamic",
                Depth::MOST
            );
            Err(Wrong::new(text, "a depth", &fix))
        }
    }
}

/// As in ChartMuseum, --allow-overwrite wins.
fn overwriting(reader: &mut Reader) -> Result<Overwriting, Noted> {
    let allow = reader.value(&ALLOW_OVERWRITE, parse::switch);
    let disable_force = reader.value(&DISABLE_FORCE_OVERWRITE, parse::switch);
    Ok(match (allow?, disable_force?) {
        (true, _) => Overwriting::Always,
        (false, false) => Overwriting::WithForce,
        (false, true) => Overwriting::Never,
    })
}

/// Reads the fields of a form. The default names stay valid, so that neither may be the other's.
fn fields(reader: &mut Reader) -> Result<(String, String), Noted> {
    let (chart, provenance) = (&CHART_POST_FORM_FIELD_NAME, &PROV_POST_FORM_FIELD_NAME);
    let chart_field = field(reader, chart, provenance.default);
    let provenance_field = field(reader, provenance, chart.default);
    let (chart_field, provenance_field) = (chart_field?, provenance_field?);
    if chart_field == provenance_field {
        let wrong = Wrong {
            what: format!("`{provenance_field}` is the field of archives too"),
            fix: "write two names".to_owned(),
        };
        let source = reader.source_of(provenance);
        return Err(reader.note(provenance, source, wrong));
    }
    Ok((chart_field, provenance_field))
}

fn field(
    reader: &mut Reader,
    definition: &'static Definition,
    other: &'static str,
) -> Result<String, Noted> {
    let is_name =
        |text: &str| !text.is_empty() && text != other && !text.contains(char::is_control);
    reader.value(definition, |text| {
        if is_name(text) {
            return Ok(text.to_owned());
        }
        let fix = format!("write another name than `{other}`, without control characters");
        Err(Wrong::new(text, "a name for this field", &fix))
    })
}

fn origin(text: &str) -> Result<HeaderValue, Wrong> {
    HeaderValue::from_str(text).map_err(|_| {
        let fix = "write * or an origin such as https://charts.example.com";
        Wrong::new(text, "an origin", fix)
    })
}

/// Reads `ID` for the root and `path=ID` for others, one a line.
fn artifact_hub_ids(text: &str) -> Result<BTreeMap<RepositoryPath, String>, Wrong> {
    let fix = "write ID for the repository at the root, or path=ID";
    let mut ids = BTreeMap::new();
    for item in text.lines() {
        let (path, id) = item.rsplit_once('=').unwrap_or(("", item));
        let path = RepositoryPath::parse(path).map_err(|error| Wrong {
            what: error.to_string(),
            fix: fix.to_owned(),
        })?;
        // It is put into a YAML file as it is.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if id.is_empty() || !id.bytes().all(is_plain) {
            return Err(Wrong::new(item, "a repository id of Artifact Hub", fix));
        }
        if ids.insert(path, id.to_owned()).is_some() {
            let what = format!("`{item}` is a second id for the same repository");
            let fix = "give one id for each repository".to_owned();
            return Err(Wrong { what, fix });
        }
    }
    Ok(ids)
}

/// Says which ids nobody can ask for.
fn unreachable(reader: &mut Reader, depth: Depth, ids: &BTreeMap<RepositoryPath, String>) {
    let Depth::Fixed(depth) = depth else {
        return;
    };
    let source = reader.source_of(&ARTIFACT_HUB_REPO_ID);
    for path in ids.keys().filter(|path| path.segments().count() != depth) {
        reader.notices.push(format!(
            "{} for `{path}` ({source}) is not used: a repository has {depth} segments",
            ARTIFACT_HUB_REPO_ID.name
        ));
    }
}
