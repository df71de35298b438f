//! The listening socket.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "{0} is in use: another server runs there; stop it, or choose another port with --port"
    )]
    InUse(SocketAddr),
    /// The system does not allow it.
    #[error("{0} is not allowed: ports below 1024 need a privilege; choose another with --port")]
    Denied(SocketAddr),
    /// The address is not one of this machine.
    #[error("{0} is not an address of this machine: choose another with --listen-host")]
    NotHere(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {address}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Starts to listen.
///
/// # Errors
/// See [`BindError`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => BindError::InUse(address),
            io::ErrorKind::PermissionDenied => BindError::Denied(address),
            io::ErrorKind::AddrNotAvailable => BindError::NotHere(address),
            _ => BindError::Other { address, source },
        })
}

/// Tells an error of a client that went away before it was accepted from one of the listener.
pub(super) fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
