//! A TCP stream to a client that may stop reading, or may still be sending.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::room::Place;

/// How long, and for how many bytes, a closed connection is still read.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 << 20;

/// Ends writes that make no progress, and closes as RFC 9112, section 9.6 asks for.
///
/// The deadline is here because only here a stall can be seen: while the socket's buffer is full,
/// hyper asks neither the body nor the handler for anything. A write makes progress when the client
/// takes a good part of that buffer, so one that takes a byte now and then does not count as alive.
///
/// A client that is refused while it still sends its body would lose the reply if the connection was
/// closed on unread data: the kernel would reset it. So the sending side is closed first, and what
/// comes in is dropped, for a while.
pub(super) struct ClientStream {
    stream: TcpStream,
    place: Arc<Place>,
    write_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    lingering: Option<Lingering>,
}

struct Lingering {
    timer: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl ClientStream {
    pub(super) fn new(stream: TcpStream, place: Arc<Place>, write_timeout: Duration) -> Self {
        Self {
            stream,
            place,
            write_timeout,
            stalled: None,
            lingering: None,
        }
    }

    /// Waits for the first byte that the client sends, and leaves it to be read.
    pub(super) async fn first_byte(&self) -> io::Result<u8> {
        let mut first = [0];
        match self.stream.peek(&mut first).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(u8::from_be_bytes(first)),
        }
    }

    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if self.stalled.take().is_some() {
                self.place.stalled(false);
            }
            return written;
        }
        let timeout = self.write_timeout;
        let place = &self.place;
        let timer = self.stalled.get_or_insert_with(|| {
            place.stalled(true);
            Box::pin(sleep(timeout))
        });
        ready!(timer.as_mut().poll(context));
        // The system, too, is to forget what the client does not take.
        let _ = self.stream.set_zero_linger();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads and drops until the client closes, or until it was enough.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let lingering = self.lingering.get_or_insert_with(|| Lingering {
            timer: Box::pin(sleep(LINGER)),
            bytes_left: LINGER_BYTES,
        });
        let mut space = [0; 4096];
        while lingering.bytes_left > 0 && lingering.timer.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    lingering.bytes_left =
                        lingering.bytes_left.saturating_sub(buffer.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.poll_linger(context).map(Ok)
    }
}
