//! A server that speaks as much of S3 as chartroom asks for, with a fault of the test's choice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Runtime;

/// What it answers to some requests instead of doing what they ask.
pub(crate) type Fault = fn(&Method, &str) -> Option<Response>;

/// The server, with an empty bucket `charts`. Dropping it ends it.
pub(crate) struct Impostor {
    url: String,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Bucket {
    conditions: Conditions,
    fault: Fault,
    objects: Arc<Mutex<BTreeMap<String, Object>>>,
}

#[derive(Clone)]
struct Object {
    body: Bytes,
    tag: usize,
}

/// What it does about `If-None-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conditions {
    Honoured,
    /// As some that speak S3 do.
    Ignored,
}

impl Impostor {
    pub(crate) fn start(conditions: Conditions, fault: Fault) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bucket = Bucket {
            conditions,
            fault,
            objects: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(bucket);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await
        });
        Self {
            url,
            _runtime: runtime,
        }
    }

    /// One that does everything right.
    pub(crate) fn good() -> Self {
        Self::start(Conditions::Honoured, |_, _| None)
    }

    /// One that does something else.
    pub(crate) fn faulty(fault: Fault) -> Self {
        Self::start(Conditions::Honoured, fault)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// An answer as S3 refuses.
pub(crate) fn refusal(status: u16, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>said so</Message></Error>");
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

async fn answer(
    State(bucket): State<Bucket>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(answer) = (bucket.fault)(&method, uri.path()) {
        return answer;
    }
    let path = percent_encoding::percent_decode_str(uri.path());
    let path = path.decode_utf8().unwrap();
    let Some(key) = path.strip_prefix("/charts") else {
        return refusal(404, "NoSuchBucket");
    };
    let key = key.trim_start_matches('/');
    let mut objects = bucket.objects.lock().unwrap();
    match method.as_str() {
        "GET" if key.is_empty() => list(&objects, &query).into_response(),
        "GET" | "HEAD" => match objects.get(key) {
            Some(object) => read(object, &headers),
            None => refusal(404, "NoSuchKey"),
        },
        "PUT" => {
            let is_conditional = headers.contains_key(header::IF_NONE_MATCH);
            if is_conditional
                && bucket.conditions == Conditions::Honoured
                && objects.contains_key(key)
            {
                return refusal(412, "PreconditionFailed");
            }
            let tag = objects.values().map(|object| object.tag).max().unwrap_or(0) + 1;
            objects.insert(key.to_owned(), Object { body, tag });
            [(header::ETAG, quoted(tag))].into_response()
        }
        "DELETE" => {
            objects.remove(key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => refusal(405, "MethodNotAllowed"),
    }
}

fn quoted(tag: usize) -> String {
    format!("\"{tag}\"")
}

fn read(object: &Object, headers: &HeaderMap) -> Response {
    let about = [
        (header::ETAG, quoted(object.tag)),
        (
            header::LAST_MODIFIED,
            "Tue, 24 Nov 2026 10:00:00 GMT".to_owned(),
        ),
    ];
    let Some(range) = headers.get(header::RANGE) else {
        return (about, object.body.clone()).into_response();
    };
    let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let [first, last]: [usize; 2] = [first, last].map(|number| number.parse().unwrap());
    let size = object.body.len();
    let part = object.body.slice(first..size.min(last + 1));
    let range = format!("bytes {first}-{}/{size}", first + part.len() - 1);
    let range = [(header::CONTENT_RANGE, range)];
    (StatusCode::PARTIAL_CONTENT, about, range, part).into_response()
}

fn list(objects: &BTreeMap<String, Object>, query: &HashMap<String, String>) -> String {
    let value = |name: &str| query.get(name).map_or("", String::as_str);
    let (prefix, delimiter, after) = (value("prefix"), value("delimiter"), value("start-after"));
    let mut folders = BTreeSet::new();
    let mut lines = Vec::new();
    for (key, object) in objects {
        let Some(below) = key.strip_prefix(prefix).filter(|_| key.as_str() > after) else {
            continue;
        };
        if let Some((folder, _)) = below.split_once('/').filter(|_| !delimiter.is_empty()) {
            let folder = format!("<Prefix>{prefix}{folder}/</Prefix>");
            folders.insert(format!("<CommonPrefixes>{folder}</CommonPrefixes>"));
            continue;
        }
        lines.push(format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified>\
             <ETag>{}</ETag><Size>{}</Size></Contents>",
            quoted(object.tag),
            object.body.len()
        ));
    }
    lines.extend(folders);
    format!("<ListBucketResult>{}</ListBucketResult>", lines.concat())
}
