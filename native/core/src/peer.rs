//! Asks a taken port who holds it: this product (another editor, profile or terminal), or a stranger. One short plain request to
//! loopback; it never sends a token or key.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::health::SERVICE;

const PATIENCE: Duration = Duration::from_secs(2);
const MOST_BYTES: usize = 4_096;

/// Whether `addr` answers `/health` as this product does.
pub async fn is_peer(addr: SocketAddr) -> bool {
    tokio::time::timeout(PATIENCE, ask(addr)).await.ok().flatten().unwrap_or(false)
}

async fn ask(addr: SocketAddr) -> Option<bool> {
    let stream = TcpStream::connect(addr).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request =
        Request::get("/health").header("host", addr.to_string()).body(Empty::<Bytes>::new()).ok()?;
    let exchange = async {
        let response = sender.send_request(request).await.ok()?;
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.ok()?.to_bytes();
        let value: serde_json::Value = serde_json::from_slice(&body).ok()?;
        Some(value.get("service")?.as_str()? == SERVICE)
    };
    tokio::select! {
        answer = exchange => answer,
        _ = connection => None,
    }
}
