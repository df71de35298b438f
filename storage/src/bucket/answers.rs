//! Reads the answers of a service before the library does.
//!
//! The library goes by the status alone: any 404 is a missing object to it, any 409 an object that
//! exists, and an empty page an empty bucket.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};

use super::listing;
use super::refusal::{Answer, Question, Refusal, Verdict};

/// So much of a refusal is read.
const REFUSAL: usize = 64 * 1024;

/// The longest page of a listing: 5,000 blobs with the longest names, of which every character is
/// written as a reference.
const PAGE: usize = 64 * 1024 * 1024;

/// The pauses before a write is sent again that the service refused because of another one at the
/// same moment. Such an answer is no doubt: nothing was written.
const CONFLICT_PAUSES: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// Whom the client asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks {
    /// The service that holds the objects.
    Objects,
    /// One that gives out credentials.
    Credentials,
}

impl HttpConnector for Asks {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(match self {
            Self::Objects => HttpClient::new(ObjectService(client)),
            Self::Credentials => HttpClient::new(CredentialService(client)),
        })
    }
}

#[derive(Debug)]
struct ObjectService(HttpClient);

#[async_trait]
impl HttpService for ObjectService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let question = Question {
            head: request.method().as_str() == "HEAD",
            create: ["if-none-match", "x-goog-if-generation-match"]
                .iter()
                .any(|condition| request.headers().contains_key(*condition)),
        };
        for pause in CONFLICT_PAUSES {
            match self.ask(request.clone(), question).await? {
                Reply::Answer(response) => return Ok(response),
                Reply::Conflict(_) => tokio::time::sleep(pause).await,
            }
        }
        match self.ask(request, question).await? {
            Reply::Answer(response) => Ok(response),
            Reply::Conflict(refusal) => Err(refused(refusal)),
        }
    }
}

enum Reply {
    Answer(HttpResponse),
    Conflict(Refusal),
}

impl ObjectService {
    async fn ask(&self, request: HttpRequest, question: Question) -> Result<Reply, HttpError> {
        let query = request.uri().query().unwrap_or_default();
        let is_listing = ["list-type=2", "comp=list"]
            .iter()
            .any(|name| query.split('&').any(|parameter| parameter == *name));
        let is_batch = query.split('&').any(|parameter| parameter == "comp=batch");
        let is_read = ["GET", "HEAD"].contains(&request.method().as_str());
        let is_write = request.method().as_str() == "PUT";
        let response = self.0.execute(request).await?;
        if response.status().is_success() {
            if is_listing {
                return read_listing(response).await;
            }
            if is_batch {
                return read_batch(response, question).await;
            }
            // All services tell when an object was written, and the library takes any page for one.
            if is_read && !response.headers().contains_key("last-modified") {
                let status = response.status().as_u16();
                let words = "an object without a time";
                return Err(refused(Refusal::not_a_store(status, words)));
            }
            // The library wants the tag too, and says so in words that help nobody.
            if is_write && !response.headers().contains_key("etag") {
                let status = response.status().as_u16();
                let words = "a write without a tag of what was written";
                return Err(refused(Refusal::not_a_store(status, words)));
            }
            return Ok(Reply::Answer(response));
        }
        let (parts, body) = response.into_parts();
        let body = read(body, REFUSAL).await?;
        let answer = Answer::read(parts.status.as_u16(), &parts.headers, &body);
        match answer.judge(question) {
            Verdict::Understood => Ok(Reply::Answer(HttpResponse::from_parts(parts, body.into()))),
            Verdict::Conflict(refusal) => Ok(Reply::Conflict(refusal)),
            Verdict::Refused(refusal) => Err(refused(refusal)),
        }
    }
}

async fn read_listing(response: HttpResponse) -> Result<Reply, HttpError> {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    let body = read(body, PAGE).await?;
    let body = listing::tidy(status, body).map_err(refused)?;
    Ok(Reply::Answer(HttpResponse::from_parts(parts, body.into())))
}

/// Reads the answer to a deletion on Azure, for which the library sends batches of one: the answer
/// proper is a part of the body.
async fn read_batch(response: HttpResponse, question: Question) -> Result<Reply, HttpError> {
    let (parts, body) = response.into_parts();
    let body = read(body, REFUSAL).await?;
    if let Some(answer) = batched(&String::from_utf8_lossy(&body))
        && let Verdict::Refused(refusal) = answer.judge(question)
    {
        return Err(refused(refusal));
    }
    Ok(Reply::Answer(HttpResponse::from_parts(parts, body.into())))
}

/// Returns the first answer of a batch, unless it is a success.
fn batched(body: &str) -> Option<Answer> {
    let (_, rest) = body.split_once("HTTP/1.1 ")?;
    let status: u16 = rest.get(..3)?.parse().ok()?;
    if (200..300).contains(&status) {
        return None;
    }
    let mut headers = object_store::HeaderMap::new();
    let code = rest.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_code = name.eq_ignore_ascii_case("x-ms-error-code");
        is_code.then(|| value.trim().parse().ok())?
    });
    if let Some(code) = code {
        headers.insert("x-ms-error-code", code);
    }
    Some(Answer::read(status, &headers, rest.as_bytes()))
}

#[derive(Debug)]
struct CredentialService(HttpClient);

#[async_trait]
impl HttpService for CredentialService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.execute(request).await?;
        let status = response.status().as_u16();
        if ![400, 401, 403].contains(&status) {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = read(body, REFUSAL).await?;
        Err(refused(Answer::read(status, &parts.headers, &body).deny()))
    }
}

/// Reads a body; what goes beyond the limit is an error for the reader, who then has a piece only.
async fn read(body: HttpResponseBody, limit: usize) -> Result<Bytes, HttpError> {
    let mut pieces = body.bytes_stream();
    let mut read = BytesMut::new();
    while let Some(piece) = pieces.try_next().await? {
        let room = limit.saturating_sub(read.len());
        if piece.len() > room {
            read.extend_from_slice(piece.get(..room).unwrap_or_default());
            break;
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

fn refused(refusal: Refusal) -> HttpError {
    // Of a kind that the library never tries again.
    HttpError::new(HttpErrorKind::Unknown, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StorageErrorKind;

    const DELETE: Question = Question {
        head: false,
        create: false,
    };

    fn batch(status: &str, headers: &str) -> String {
        format!(
            "--batch\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 \
             {status}\r\n{headers}x-ms-request-id: 1\r\n\r\n--batch--"
        )
    }

    #[test]
    fn the_answer_in_a_batch_is_the_answer() {
        assert!(batched(&batch("202 Accepted", "")).is_none());
        let missing = batched(&batch("404 Not Found", "x-ms-error-code: BlobNotFound\r\n"));
        assert_eq!(missing.unwrap().judge(DELETE), Verdict::Understood);
        let denied = batch("403 Forbidden", "X-Ms-Error-Code: AuthorizationFailure\r\n");
        match batched(&denied).unwrap().judge(DELETE) {
            Verdict::Refused(refusal) => assert_eq!(refusal.kind(), StorageErrorKind::Denied),
            other => panic!("{other:?}"),
        }
        let gone = batched(&batch(
            "404 Not Found",
            "x-ms-error-code: ContainerNotFound\r\n",
        ));
        assert!(matches!(gone.unwrap().judge(DELETE), Verdict::Refused(_)));
    }
}
