//! The check of rights before a route.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, FORWARDED, VIA};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use chartroom_storage::RepositoryPath;

use super::Client;
use super::audit::Auditor;
use super::error::ApiError;
use super::extract;
use super::layers::id_of;
use super::routes::Endpoint;
use super::settings::{Depth, Settings};
use crate::auth::{self, Asker, Auth, Decision, Rule, Session, Verb, Verdict};
use crate::repository::Paths;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Those who have the right to do this.
    Needs(Verb),
    /// Those who have the right to read something: they see those repositories that they may read.
    Lists,
}

impl Endpoint {
    /// Tells who may use it. Open is what ChartMuseum never protects: probes, metrics and the version.
    pub fn access(self) -> Access {
        match self {
            Self::Health | Self::Ready | Self::Metrics | Self::Info => Access::Open,
            Self::ListRepositories => Access::Lists,
            Self::Page
            | Self::Index
            | Self::ArtifactHub
            | Self::Archive
            | Self::ListCharts
            | Self::Chart
            | Self::Version
            | Self::Templates
            | Self::Values
            | Self::Explain => Access::Needs(Verb::Pull),
            // With `?force` the right to overwrite, too.
            Self::Upload | Self::UploadProvenance => Access::Needs(Verb::Push),
            Self::Delete => Access::Needs(Verb::Delete),
        }
    }
}

/// The check before one route.
#[derive(Clone, Copy)]
pub(super) struct Guard<'a> {
    pub(super) auth: &'a Arc<Auth>,
    pub(super) settings: &'a Settings,
    pub(super) endpoint: Endpoint,
    pub(super) auditor: Option<&'a Auditor>,
}

/// Refuses those who may not, before anything of a body is read or a repository is looked for: an
/// unknown repository and a forbidden one look the same. Notes who the others are.
pub(super) async fn check<F: Future<Output = Response>>(
    guard: Guard<'_>,
    repository: &RepositoryPath,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let headers = request.headers();
    let asker = Asker {
        authorization: headers.get(AUTHORIZATION),
        is_local: is_local(request.extensions().get(), headers),
    };
    let Some((session, decision)) = guard.decide(asker, request.uri(), repository).await else {
        return next(request).await;
    };
    let audited = guard
        .auditor
        .map(|auditor| auditor.note(&mut request, &decision));
    let identity = decision.identity.clone();
    let mut response = if decision.is_allowed() {
        let extensions = request.extensions_mut();
        extensions.insert(identity.clone());
        extensions.insert(decision.clone());
        extensions.insert(Viewer {
            auth: Arc::clone(guard.auth),
            session: Arc::new(session),
        });
        next(request).await
    } else {
        refuse(&decision, &request)
    };
    if let Some(audited) = audited {
        response = audited.answered(response).await;
    }
    let extensions = response.extensions_mut();
    extensions.insert(identity);
    extensions.insert(decision);
    response
}

fn refuse(decision: &Decision, request: &Request) -> Response {
    let id = id_of(request);
    let has_body = !request.body().is_end_stream();
    let repository = decision.repository.as_str();
    let (action, user) = (decision.verb.as_str(), decision.identity.name());
    match &decision.verdict {
        // The caller does not come here with it.
        Verdict::Allowed => ApiError::NoRoute,
        Verdict::Challenged(challenge, refusal) => {
            tracing::debug!(
                request.id = &*id,
                repository,
                action = decision.verb.action(),
                "unauthorized: {refusal}"
            );
            ApiError::Unauthorized {
                challenge: challenge.clone(),
                has_body,
            }
        }
        Verdict::Forbidden(hint) => {
            tracing::debug!(
                request.id = &*id,
                repository,
                action,
                user,
                rule = %decision.rule,
                "forbidden"
            );
            ApiError::Forbidden { hint, has_body }
        }
        Verdict::Busy => ApiError::TooManyPasswords { has_body },
        Verdict::Unavailable(why) => ApiError::NoAuthority {
            why: Arc::clone(why),
            has_body,
        },
        Verdict::NoKeys(issuer) => ApiError::NoKeys {
            issuer: issuer.clone(),
            has_body,
        },
    }
    .into_response()
}

impl Guard<'_> {
    /// Decides about a request; `None` if its route is open.
    async fn decide(
        &self,
        asker: Asker<'_>,
        uri: &Uri,
        repository: &RepositoryPath,
    ) -> Option<(Session, Decision)> {
        let auth = self.auth;
        let verb = match self.endpoint.access() {
            Access::Open => return None,
            Access::Needs(verb) => verb,
            Access::Lists => Verb::Pull,
        };
        if self.opens_provenance(uri) {
            let session = auth.identify(Asker::NOBODY, verb).await;
            let decision = Decision {
                rule: Rule::AnonymousProvenance,
                verdict: Verdict::Allowed,
                ..auth.decide(&session, verb, repository)
            };
            return Some((session, decision));
        }
        let session = auth.identify(asker, verb).await;
        let mut decision = if self.is_list(repository) {
            auth.decide_list(&session)
        } else {
            auth.decide(&session, verb, repository)
        };
        // What a request can do is decided before it does any of it.
        if decision.is_allowed() && self.can_overwrite(uri) {
            decision = auth.decide(&session, Verb::Overwrite, repository);
        }
        Some((session, decision))
    }

    /// Tells whether what is shown is a list of repositories and nothing of one.
    fn is_list(&self, repository: &RepositoryPath) -> bool {
        let has_no_root = !matches!(self.settings.depth, Depth::Fixed(0) | Depth::Dynamic);
        self.endpoint.access() == Access::Lists
            || (self.endpoint == Endpoint::Page && has_no_root && repository.is_root())
    }

    /// Tells whether it is a provenance file, and those are open to everybody.
    fn opens_provenance(&self, uri: &Uri) -> bool {
        self.auth.opens_provenance()
            && self.endpoint == Endpoint::Archive
            && uri.path().ends_with(".prov")
    }

    /// Tells whether an upload asks to replace what exists. One that does not ask, where
    /// `--allow-overwrite` is on, needs the right only if there is something to replace.
    fn can_overwrite(&self, uri: &Uri) -> bool {
        matches!(self.endpoint, Endpoint::Upload | Endpoint::UploadProvenance)
            && extract::forces(uri, self.settings)
    }
}

/// Tells whether a request comes from this machine and was not passed on by a proxy on it. A proxy that
/// says nothing of itself cannot be told.
fn is_local(client: Option<&Client>, headers: &HeaderMap) -> bool {
    client.is_some_and(|client| auth::is_loopback(client.peer.ip()))
        && !headers.keys().any(is_of_a_proxy)
}

fn is_of_a_proxy(name: &HeaderName) -> bool {
    *name == FORWARDED
        || *name == VIA
        || name == "x-real-ip"
        || name.as_str().starts_with("x-forwarded-")
}

/// What the sender of a request may do besides what they ask for.
#[derive(Clone)]
pub(super) struct Viewer {
    auth: Arc<Auth>,
    session: Arc<Session>,
}

impl Viewer {
    /// Decides about another verb.
    pub(super) fn may(&self, verb: Verb, repository: &RepositoryPath) -> bool {
        let decision = self.auth.decide(&self.session, verb, repository);
        decision.is_allowed()
    }

    /// Leaves those repositories that they may read.
    pub(super) fn show(&self, mut found: Paths) -> Paths {
        found.paths.retain(|path| self.may(Verb::Pull, path));
        found
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Without one the request did not pass the check.
        parts.extensions.get().cloned().ok_or(ApiError::NoRoute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_through_a_proxy_is_not_of_this_machine() {
        let local = Client::at("127.0.0.1:5000".parse().unwrap());
        let mapped = Client::at("[::ffff:127.0.0.1]:5000".parse().unwrap());
        let remote = Client::at("10.1.2.3:5000".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert("host", "127.0.0.1:8879".parse().unwrap());
        assert!(is_local(Some(&local), &headers) && is_local(Some(&mapped), &headers));
        assert!(!is_local(Some(&remote), &headers) && !is_local(None, &headers));
        for name in [
            "Forwarded",
            "Via",
            "X-Real-IP",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded-Anything",
        ] {
            let name: HeaderName = name.parse().unwrap();
            let passed_on = HeaderMap::from_iter([(name.clone(), "".parse().unwrap())]);
            assert!(!is_local(Some(&local), &passed_on), "{name}");
        }
    }
}
