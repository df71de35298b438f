//! An issuer of tokens on this machine, which can be everything that an issuer must not be.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use axum::serve::Listener;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

/// A key that signs tokens, and how it is published.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) jwk: Value,
    key: EncodingKey,
}

// Making one takes a while in an unoptimised build.
static RSA: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap());

impl SigningKey {
    /// A new key. There is one for RSA only, which gets new names.
    pub(crate) fn new(algorithm: Algorithm, id: &str) -> Self {
        let (key, mut jwk) = match algorithm {
            Algorithm::ES256 => {
                let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
                let point = pair.der_bytes();
                let (x, y) = point[1..].split_at(32);
                let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
                let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
                (EncodingKey::from_ec_der(&pair.serialize_der()), jwk)
            }
            Algorithm::EdDSA => {
                let pair = KeyPair::generate_for(&PKCS_ED25519).unwrap();
                let x = URL_SAFE_NO_PAD.encode(pair.der_bytes());
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
                (EncodingKey::from_ed_der(&pair.serialize_der()), jwk)
            }
            rsa => {
                let key = EncodingKey::from_rsa_pem(RSA.serialize_pem().as_bytes()).unwrap();
                let jwk = Jwk::from_encoding_key(&key, rsa).unwrap();
                (key, serde_json::to_value(jwk).unwrap())
            }
        };
        jwk["kid"] = json!(id);
        jwk["alg"] = serde_json::to_value(algorithm).unwrap();
        jwk["use"] = json!("sig");
        Self {
            algorithm,
            jwk,
            key,
        }
    }

    /// The three kinds.
    pub(crate) fn all(suffix: &str) -> Vec<Self> {
        [
            (Algorithm::RS256, "rsa"),
            (Algorithm::ES256, "p256"),
            (Algorithm::EdDSA, "ed25519"),
        ]
        .into_iter()
        .map(|(algorithm, name)| Self::new(algorithm, &format!("{name}-{suffix}")))
        .collect()
    }

    pub(crate) fn id(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    /// The header of its tokens.
    pub(crate) fn header(&self) -> Header {
        Header {
            kid: Some(self.id().to_owned()),
            ..Header::new(self.algorithm)
        }
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }

    pub(crate) fn sign_as(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }
}

/// The document that publishes keys.
pub(crate) fn key_set(keys: &[SigningKey]) -> Value {
    let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
    json!({"keys": keys})
}

/// How an issuer answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// Not at all.
    pub(crate) is_silent: bool,
    /// With this status.
    pub(crate) status: Option<u16>,
    /// With so many bytes more than the document.
    pub(crate) padding: usize,
    /// As another issuer.
    pub(crate) issuer: Option<String>,
    /// With another address of the keys.
    pub(crate) jwks_uri: Option<String>,
    /// With this document instead of the keys.
    pub(crate) keys: Option<String>,
    /// With this `Cache-Control`.
    pub(crate) cache_control: Option<String>,
}

#[derive(Default)]
struct Behaviour {
    manner: Manner,
    keys: Vec<SigningKey>,
    /// What was asked for, and with which `Authorization`.
    requests: Vec<(String, Option<String>)>,
}

/// An issuer that listens on loopback until it is dropped.
pub(crate) struct LocalIssuer {
    pub(crate) url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    _task: AbortOnDropHandle<()>,
}

/// The socket of an issuer that speaks HTTPS.
struct Https {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Https {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            // Who does not trust it goes away.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A certificate for `localhost` with its key, and the authority that it comes from, in PEM.
fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>, String) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = CertifiedIssuer::self_signed(parameters, key).unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (certificate.der().clone(), private, authority.pem())
}

impl LocalIssuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(listener, url)
    }

    /// One with HTTPS, and the authority of its certificate.
    pub(crate) async fn start_https() -> (Self, String) {
        let (certificate, key, authority) = certificate();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let https = Https { listener, acceptor };
        (
            Self::serve(https, format!("https://localhost:{port}")),
            authority,
        )
    }

    fn serve<L>(listener: L, url: String) -> Self
    where
        L: Listener,
        L::Addr: std::fmt::Debug,
    {
        let behaviour = Arc::new(Mutex::new(Behaviour {
            keys: SigningKey::all("1"),
            ..Behaviour::default()
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .with_state((url.clone(), Arc::clone(&behaviour)));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            behaviour,
            _task: AbortOnDropHandle::new(task),
        }
    }

    fn behaviour(&self) -> MutexGuard<'_, Behaviour> {
        locked(&self.behaviour)
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.behaviour().manner = manner;
    }

    pub(crate) fn keys(&self) -> Vec<SigningKey> {
        self.behaviour().keys.clone()
    }

    /// Publishes other keys instead of its own.
    pub(crate) fn rotate(&self, keys: Vec<SigningKey>) {
        self.behaviour().keys = keys;
    }

    /// Signs with its newest RSA key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.keys()[0].sign(claims)
    }

    pub(crate) fn requests(&self) -> Vec<(String, Option<String>)> {
        self.behaviour().requests.clone()
    }
}

fn locked(behaviour: &Mutex<Behaviour>) -> MutexGuard<'_, Behaviour> {
    behaviour.lock().unwrap_or_else(PoisonError::into_inner)
}

type Shared = State<(String, Arc<Mutex<Behaviour>>)>;

async fn configuration(State((url, behaviour)): Shared, headers: HeaderMap) -> Response<Body> {
    let manner = note(&behaviour, "configuration", &headers);
    let issuer = manner.issuer.clone().unwrap_or_else(|| url.clone());
    let jwks_uri = manner.jwks_uri.clone();
    let jwks_uri = jwks_uri.unwrap_or_else(|| format!("{url}/keys"));
    let document = json!({"issuer": issuer, "jwks_uri": jwks_uri});
    reply(manner, document.to_string()).await
}

async fn keys(State((_, behaviour)): Shared, headers: HeaderMap) -> Response<Body> {
    let manner = note(&behaviour, "keys", &headers);
    let document = manner.keys.clone();
    let document = document.unwrap_or_else(|| key_set(&locked(&behaviour).keys).to_string());
    reply(manner, document).await
}

fn note(behaviour: &Mutex<Behaviour>, what: &str, headers: &HeaderMap) -> Manner {
    let authorization = headers.get("authorization");
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    let mut behaviour = locked(behaviour);
    behaviour.requests.push((what.to_owned(), authorization));
    behaviour.manner.clone()
}

async fn reply(manner: Manner, mut document: String) -> Response<Body> {
    if manner.is_silent {
        pending::<()>().await;
    }
    document.push_str(&" ".repeat(manner.padding));
    let status = StatusCode::from_u16(manner.status.unwrap_or(200)).unwrap();
    let mut response = Response::builder().status(status);
    if status.is_redirection() {
        response = response.header("location", "/keys");
    }
    if let Some(value) = manner.cache_control {
        response = response.header("cache-control", value);
    }
    response.body(Body::from(document)).unwrap()
}
