//! The web identity of a pod on Amazon, whose token service the library asks by TLS only.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chartroom_storage::{BucketOptions, Key, Location, StorageErrorKind, Store, Timeouts};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificates;

/// The token service and the bucket in one. Dropping it ends it.
struct Amazon {
    url: String,
    asked: Asked,
    task: JoinHandle<()>,
}

type Asked = Arc<Mutex<Vec<String>>>;

impl Drop for Amazon {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Amazon {
    async fn start(folder: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.join("public.crt")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("private.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Asked::default();
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = TowerToHyperService::new(router.clone());
                let stream = acceptor.accept(stream).await.unwrap();
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    // The client may leave at any time.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            url: format!("https://localhost:{port}"),
            asked,
            task,
        }
    }
}

async fn answer(State(asked): State<Asked>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    let (token, signature) = (header("x-amz-security-token"), header("authorization"));
    asked
        .lock()
        .unwrap()
        .push(format!("{query} {token} {signature}"));
    if query.contains("WebIdentityToken=stale") {
        let body = "<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>old</Message>\
                    </Error></ErrorResponse>";
        return (StatusCode::BAD_REQUEST, body).into_response();
    }
    if query.contains("Action=AssumeRoleWithWebIdentity") {
        return "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                <AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>\
                <SessionToken>session</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration>\
                </Credentials></AssumeRoleWithWebIdentityResult>\
                </AssumeRoleWithWebIdentityResponse>"
            .into_response();
    }
    let headers = [
        (header::ETAG, "\"1\""),
        (header::LAST_MODIFIED, "Tue, 24 Nov 2026 10:00:00 GMT"),
    ];
    (headers, "body").into_response()
}

#[tokio::test]
async fn a_web_identity_becomes_a_role() {
    let folder = certificates::make();
    let amazon = Amazon::start(folder.path()).await;
    let token = folder.path().join("token");
    fs::write(&token, "fresh").unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/charts"),
        ("AWS_ROLE_SESSION_NAME", "chartroom"),
        ("AWS_ENDPOINT_URL_STS", amazon.url.as_str()),
    ];
    let options = BucketOptions {
        endpoint: Some(amazon.url.clone()),
        region: Some("eu-west-1".to_owned()),
        ca_certificate: Some(folder.path().join("ca.pem")),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..BucketOptions::default()
    };
    let location = Location::parse("s3://bucket").unwrap();
    let open = || Store::open(&location, &options, Timeouts::default()).unwrap();
    let key = Key::parse("a").unwrap();
    assert_eq!(open().get(&key).await.unwrap().body, "body");
    let asked = std::mem::take(&mut *amazon.asked.lock().unwrap());
    assert_eq!(asked.len(), 2, "{asked:?}");
    for part in [
        "WebIdentityToken=fresh",
        "RoleSessionName=chartroom",
        "role%2Fcharts",
    ] {
        assert!(asked[0].contains(part), "{asked:?}");
    }
    assert!(asked[1].contains(" session "), "{asked:?}");
    assert!(asked[1].contains("Credential=AKIDROLE/"), "{asked:?}");
    assert!(asked[1].contains("/eu-west-1/s3/"), "{asked:?}");

    fs::write(&token, "stale").unwrap();
    let error = open().get(&key).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Denied);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        cause,
        "there are no credentials from the web identity of the role arn:aws:iam::1:role/charts \
         from AWS_WEB_IDENTITY_TOKEN_FILE: the credentials have expired: it answered 400 \
         ExpiredTokenException, \"old\""
    );
}
