//! Replies to requests that are not let in.

use std::time::Duration;

use axum::http::StatusCode;

use super::{Failure, refuse, unavailable};
use crate::http::admission::Refusal;

pub(super) fn failure(refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::SeveralHosts => {
            let text = "the request has several Host headers";
            refuse(StatusCode::BAD_REQUEST, text).closing()
        }
        Refusal::UnknownHost => refuse(
            StatusCode::MISDIRECTED_REQUEST,
            "the host is not a name of this server",
        )
        .hint("a server that listens on a loopback address answers to localhost and to the names in --allowed-hosts".to_owned())
        .closing(),
        Refusal::ForeignOrigin { has_body } => Failure {
            close: *has_body,
            ..refuse(
                StatusCode::FORBIDDEN,
                "a web page of another origin may not change anything",
            )
            .hint("send the request from a program, or name the page's origin with --cors-alloworigin".to_owned())
        },
        Refusal::TooManyConnections => unavailable("too many connections", Duration::from_secs(1))
            .hint("the limit is set with --max-connections".to_owned())
            .closing(),
        Refusal::TooManyRequests {
            retry_after,
            has_body,
        } => Failure {
            retry_after: Some(*retry_after),
            close: *has_body,
            ..refuse(StatusCode::TOO_MANY_REQUESTS, "too many requests")
                .hint("try again after the time in Retry-After; the limit is set with --client-rate".to_owned())
        },
    }
}
