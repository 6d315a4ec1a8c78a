//! A connection to a proxy that acknowledges what it got as soon as it waits for more. Some proxies send an answer in small
//! pieces and, without TCP_NODELAY, the second only after the first was acknowledged (microsocks: 1 KB); this machine's
//! system would wait 40 ms with that, in the hope of something to send along. It knows nothing of what the bytes mean.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(super) struct Prompt {
    io: TcpStream,
    /// Something came since the last acknowledgement asked for here.
    owes: bool,
}

impl Prompt {
    pub(super) fn new(io: TcpStream) -> Self {
        Self { io, owes: false }
    }
}

impl AsyncRead for Prompt {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_pending() && self.owes {
            acknowledge(&self.io);
        }
        self.owes = read.is_ready();
        read
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn acknowledge(io: &TcpStream) {
    // A system that cannot is only slower.
    let _ = socket2::SockRef::from(io).set_tcp_quickack(true);
}

/// Other systems ask for it in other ways, or wait less.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn acknowledge(_: &TcpStream) {}

impl AsyncWrite for Prompt {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
