//! The beginning of a connection.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio_rustls::server::TlsStream;

use super::Tls;
use crate::server::client_stream::ClientStream;

/// The first byte of a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// For people and programs that wrote `http://` by mistake.
const NOT_HTTP: &str = "HTTP/1.1 400 Bad Request\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 77\r\n\
    Connection: close\r\n\r\n\
    {\"error\":\"this port speaks HTTPS\",\"hint\":\"write https:// instead of http://\"}";

/// Agrees on keys with a client. The caller sets a deadline.
///
/// # Errors
/// If the client speaks something else, has no certificate that is asked for, or goes away. It was
/// told why, as far as TLS or HTTP can tell it, and its connection is closed.
pub(in crate::server) async fn accept(
    tls: &Tls,
    mut stream: ClientStream,
) -> io::Result<TlsStream<ClientStream>> {
    let first = stream.first_byte().await?;
    if first != HANDSHAKE {
        if first.is_ascii_uppercase() {
            stream.write_all(NOT_HTTP.as_bytes()).await?;
        }
        stream.shutdown().await?;
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no TLS"));
    }
    match tls.acceptor().accept(stream).into_fallible().await {
        Ok(stream) => Ok(stream),
        Err((error, mut stream)) => {
            // The alert would be lost if the connection was closed on unread data.
            stream.shutdown().await?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_to_plain_http_is_as_long_as_it_says() {
        let (head, body) = NOT_HTTP.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
