//! What requests come to in the audit log.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::Response;

use chartroom_storage::Clock;

use super::Client;
use super::layers::id_of;
use super::reply;
use crate::audit::{AuditError, AuditLog, Line, Record, Subject};
use crate::auth::Decision;
use crate::metrics::Metrics;

/// Writes the lines.
#[derive(Clone, Debug)]
pub(super) struct Auditor {
    log: AuditLog,
    clock: Clock,
    metrics: Metrics,
}

/// What a line says of a request, before there is a reply.
pub(super) struct Audited {
    auditor: Auditor,
    request_id: Arc<str>,
    client: Option<Client>,
    decision: Decision,
    about: About,
    is_answered: bool,
}

/// What nginx says for it, and our access log.
const CLIENT_GONE: u16 = 499;

/// Where a handler says which version a request is about, as soon as it knows: of a request that fails,
/// too. Without an audit log nobody reads it.
#[derive(Clone, Debug, Default)]
pub(super) struct About(Option<Arc<OnceLock<Subject>>>);

impl About {
    fn said(&self) -> Option<&Subject> {
        self.0.as_ref()?.get()
    }

    /// Says it. Only the first word counts.
    pub(super) fn say(&self, subject: impl FnOnce() -> Subject) {
        if let Some(said) = &self.0 {
            said.get_or_init(subject);
        }
    }
}

impl<S: Sync> FromRequestParts<S> for About {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl Auditor {
    pub(super) fn new(log: AuditLog, clock: Clock, metrics: Metrics) -> Self {
        Self {
            log,
            clock,
            metrics,
        }
    }

    /// Notes a request that was decided about.
    pub(super) fn note(&self, request: &mut Request, decision: &Decision) -> Audited {
        let about = About(Some(Arc::default()));
        request.extensions_mut().insert(about.clone());
        Audited {
            auditor: self.clone(),
            request_id: id_of(request),
            client: request.extensions().get().copied(),
            decision: decision.clone(),
            about,
            is_answered: false,
        }
    }
}

impl Audited {
    /// Writes the line of a request whose reply is about to be sent. A line that cannot be written is
    /// told and counted; the reply is sent all the same.
    ///
    /// # Cancellation
    /// There may be a second line, of a client that went away.
    pub(super) async fn answered(mut self, response: Response) -> Response {
        let status = response.status().as_u16();
        let written = match self.line(status, reply::generation_of(&response)) {
            Ok(line) => self.auditor.log.write(line).await,
            Err(error) => Err(error),
        };
        self.is_answered = true;
        self.tell(written);
        response
    }

    fn line(&self, status: u16, generation: Option<u64>) -> Result<Line, AuditError> {
        let decision = &self.decision;
        let identity = &decision.identity;
        let unknown = Subject::default();
        let record = Record {
            time: self.auditor.clock.wall(),
            request_id: &self.request_id,
            kind: identity.kind(),
            who: identity.name(),
            token_id: identity.token_id(),
            issuer: identity.issuer(),
            client: self.client.map(|client| client.ip()),
            action: decision.verb.as_str(),
            repository: decision.repository.as_str(),
            subject: self.about.said().unwrap_or(&unknown),
            generation,
            allowed: decision.is_allowed(),
            rule: &decision.rule.to_string(),
            reason: decision.refusal().map(|refusal| refusal.to_string()),
            status,
        };
        Line::of(&record)
    }

    fn tell(&self, written: Result<(), AuditError>) {
        let Err(error) = written else { return };
        self.auditor.metrics.audit_failed();
        tracing::error!(
            request.id = &*self.request_id,
            error = &error as &dyn std::error::Error,
            "a line of the audit log may be missing"
        );
    }
}

/// The client went away: what it began may go on without it.
impl Drop for Audited {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let line = self.line(CLIENT_GONE, None);
        self.tell(line.and_then(|line| self.auditor.log.write_later(line)));
    }
}
