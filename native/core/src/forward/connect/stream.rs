//! The byte stream that dialling yields, whatever layers lie beneath: TCP, TLS, a tunnel, TLS in TLS.
//! It must not know how the layers came about; it passes bytes and remembers whether ALPN chose h2.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

/// A stream of either kind, so that layers can be stacked without a type for each combination.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub type BoxedIo = Box<dyn Io>;

/// A connection to the upstream, ready for HTTP.
pub struct Dialed {
    io: BoxedIo,
    h2: bool,
    exit: Option<IpAddr>,
}

impl Dialed {
    pub(super) fn plain(io: BoxedIo) -> Self {
        Self { io, h2: false, exit: None }
    }

    pub(super) fn secured<T: Io + 'static>(io: TlsStream<T>) -> Self {
        let h2 = io.get_ref().1.alpn_protocol() == Some(b"h2");
        Self { io: Box::new(io), h2, exit: None }
    }

    pub(super) fn leaving_at(self, exit: Option<IpAddr>) -> Self {
        Self { exit, ..self }
    }

    /// The address at which it leaves the proxy, if that told it.
    pub fn exit(&self) -> Option<IpAddr> {
        self.exit
    }

    /// Whether the upstream chose h2 (ALPN); otherwise it is http/1.1.
    pub fn is_h2(&self) -> bool {
        self.h2
    }
}

impl AsyncRead for Dialed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Dialed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
