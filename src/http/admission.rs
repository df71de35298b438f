//! Which requests are let in at all, before anybody asks who sends them.

use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::HeaderValue;

use super::Client;
use super::hosts::{Hosts, WrongHost};
use super::origin;
use super::rate::ClientRate;
use super::routes::Endpoint;
use super::settings::Settings;

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It names more than one host.
    SeveralHosts,
    /// The host is not a name of this server.
    UnknownHost,
    /// A page of another origin wants to change something.
    ForeignOrigin { has_body: bool },
    /// There are more connections than are served.
    TooManyConnections,
    /// The client sent more requests than it may.
    TooManyRequests {
        retry_after: Duration,
        has_body: bool,
    },
}

/// The rules that hold for every request.
#[derive(Debug)]
pub(super) struct Admission {
    hosts: Hosts,
    /// Whose pages may send what changes something.
    origin: Option<HeaderValue>,
    rate: Option<ClientRate>,
}

impl From<&Settings> for Admission {
    fn from(settings: &Settings) -> Self {
        Self {
            hosts: settings.hosts.clone(),
            origin: settings.cors_allow_origin.clone(),
            rate: settings.client_rate.map(ClientRate::of),
        }
    }
}

impl Admission {
    /// Checks a request for an endpoint, or for none. Probes are always answered: whoever asks them
    /// would restart a server that is only busy.
    pub(super) fn check(
        &self,
        request: &Request,
        endpoint: Option<Endpoint>,
    ) -> Result<(), Refusal> {
        self.hosts.check(request).map_err(|wrong| match wrong {
            WrongHost::Several => Refusal::SeveralHosts,
            WrongHost::Unknown => Refusal::UnknownHost,
        })?;
        let has_body = || !request.body().is_end_stream();
        origin::check(request, self.origin.as_ref()).map_err(|origin::Foreign| {
            Refusal::ForeignOrigin {
                has_body: has_body(),
            }
        })?;
        let is_probe = matches!(
            endpoint,
            Some(Endpoint::Health | Endpoint::Ready | Endpoint::Metrics)
        );
        let client = request.extensions().get::<Client>();
        let Some(client) = client.filter(|_| !is_probe) else {
            return Ok(());
        };
        if client.is_surplus {
            return Err(Refusal::TooManyConnections);
        }
        let Some(rate) = &self.rate else {
            return Ok(());
        };
        rate.count(client.ip())
            .map_err(|retry_after| Refusal::TooManyRequests {
                retry_after,
                has_body: has_body(),
            })
    }
}
