//! What those are told who may not, or of whom it is not known whether they may.

use std::time::Duration;

use axum::http::StatusCode;

use super::{Failure, refuse, unavailable};
use crate::auth::Challenge;
use crate::auth::oidc::Unavailable;

pub(super) fn unauthorized(challenge: &Challenge, has_body: bool) -> Failure {
    Failure {
        challenge: Some(challenge.header().clone()),
        close: has_body,
        ..refuse(StatusCode::UNAUTHORIZED, "unauthorized")
    }
}

pub(super) fn forbidden(hint: &str, has_body: bool) -> Failure {
    Failure {
        hint: Some(hint.to_owned()),
        close: has_body,
        ..refuse(StatusCode::FORBIDDEN, "forbidden")
    }
}

pub(super) fn too_many_passwords(has_body: bool) -> Failure {
    Failure {
        close: has_body,
        ..unavailable("too many passwords at once", Duration::from_secs(1))
    }
}

pub(super) fn no_authority(has_body: bool) -> Failure {
    Failure {
        close: has_body,
        ..unavailable(
            "it cannot be found out who you are at the moment",
            Duration::from_secs(5),
        )
    }
}

pub(super) fn no_keys(issuer: &Unavailable, has_body: bool) -> Failure {
    Failure {
        close: has_body,
        retry_after: Some(issuer.retry_after),
        ..refuse(StatusCode::SERVICE_UNAVAILABLE, issuer.to_string())
    }
}
