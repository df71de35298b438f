//! Who a request is from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Who a request is from; the server puts it into the extensions of each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The other end of the connection. Only this is certain: rights that follow from an address go by
    /// it.
    pub peer: SocketAddr,
    /// Whom a trusted proxy at the other end sent the request for.
    pub forwarded: Option<IpAddr>,
    /// Whether the connection is beyond the limit: only what takes no room is answered there.
    pub is_surplus: bool,
}

impl Client {
    /// Returns the client at the other end of a connection.
    pub fn at(peer: SocketAddr) -> Self {
        Self {
            peer,
            forwarded: None,
            is_surplus: false,
        }
    }

    /// Returns the address of the client, as far as it is known. An IPv4 address is one, also on a
    /// socket of both families.
    pub fn ip(&self) -> IpAddr {
        self.forwarded
            .unwrap_or_else(|| self.peer.ip().to_canonical())
    }
}

/// The peer with its port, or else the address that a proxy gave.
impl fmt::Display for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.forwarded {
            Some(address) => address.fmt(formatter),
            None => self.peer.fmt(formatter),
        }
    }
}
