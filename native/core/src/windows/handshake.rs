//! The opening of a connection between two windows: each proves that it has read the leader's file before anything else
//! is said. It must not know what is said afterwards.
//!
//! Invariant: the follower sends its proof only to a leader that has proved itself, the leader says no more than its own
//! proof to a follower that has not, and the secret never crosses.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use super::proof::{self, Nonces, Prover, holds, is_random, prove};
use super::protocol::{LONGEST, Lines, send};

/// For all of it; on one machine it takes a millisecond.
pub const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Opening {
    Hello { nonce: String },
    Challenge { nonce: String, proof: String },
    Proof { proof: String },
}

/// The follower's side.
pub async fn greet<R, W>(lines: &mut Lines<R>, writer: &mut W, secret: &str) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let own = proof::random().ok_or(io::ErrorKind::Other)?;
    send(writer, &Opening::Hello { nonce: own.clone() }).await?;
    let Some(Opening::Challenge { nonce, proof }) = lines.next().await? else { return refused() };
    let nonces = Nonces { follower: &own, leader: &nonce };
    if !is_random(&nonce) || !holds(secret, Prover::Leader, &nonces, &proof) {
        return refused();
    }
    send(writer, &Opening::Proof { proof: prove(secret, Prover::Follower, &nonces) }).await?;
    lines.allow(LONGEST);
    Ok(())
}

/// The leader's side.
pub async fn answer<R, W>(lines: &mut Lines<R>, writer: &mut W, secret: &str) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let own = proof::random().ok_or(io::ErrorKind::Other)?;
    let Some(Opening::Hello { nonce }) = lines.next().await? else { return refused() };
    if !is_random(&nonce) {
        return refused();
    }
    let nonces = Nonces { follower: &nonce, leader: &own };
    let proof = prove(secret, Prover::Leader, &nonces);
    send(writer, &Opening::Challenge { nonce: own.clone(), proof }).await?;
    let Some(Opening::Proof { proof }) = lines.next().await? else { return refused() };
    if !holds(secret, Prover::Follower, &nonces, &proof) {
        return refused();
    }
    lines.allow(LONGEST);
    Ok(())
}

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::PermissionDenied.into())
}

#[cfg(test)]
mod tests {
    use super::super::protocol::LONGEST_UNPROVED;
    use super::*;
    use tokio::io::{DuplexStream, ReadHalf, WriteHalf, split};

    fn ends() -> [(Lines<ReadHalf<DuplexStream>>, WriteHalf<DuplexStream>); 2] {
        let (one, other) = tokio::io::duplex(4_096);
        [one, other].map(|end| {
            let (read, write) = split(end);
            (Lines::new(read, LONGEST_UNPROVED), write)
        })
    }

    async fn meet(follower: &'static str, leader: &'static str) -> [bool; 2] {
        let [(mut a, mut b), (mut c, mut d)] = ends();
        let greeting = tokio::spawn(async move { greet(&mut a, &mut b, follower).await.is_ok() });
        let answering = tokio::spawn(async move { answer(&mut c, &mut d, leader).await.is_ok() });
        [greeting.await.unwrap(), answering.await.unwrap()]
    }

    #[tokio::test]
    async fn both_must_know_the_secret() {
        assert_eq!(meet("the secret", "the secret").await, [true, true]);
        assert_eq!(meet("the secret", "another").await, [false, false]);
    }

    #[tokio::test]
    async fn a_leader_that_reflects_what_it_hears_learns_nothing() {
        let [(mut a, mut b), (mut c, mut d)] = ends();
        let greeting = tokio::spawn(async move { greet(&mut a, &mut b, "the secret").await.is_ok() });
        let Some(Opening::Hello { nonce }) = c.next().await.unwrap() else { panic!() };
        // A proof for the same nonces from a leader that was asked with them proves nothing for the other role.
        let nonces = Nonces { follower: &nonce, leader: &nonce };
        let reflected = prove("the secret", Prover::Follower, &nonces);
        send(&mut d, &Opening::Challenge { nonce: nonce.clone(), proof: reflected }).await.unwrap();
        assert!(!greeting.await.unwrap());
        assert!(c.next::<Opening>().await.unwrap().is_none(), "no proof was given away");
    }

    #[tokio::test]
    async fn a_proof_heard_once_opens_nothing_later() {
        let secret = "the secret";
        let [(mut a, mut b), (mut c, mut d)] = ends();
        let answering = tokio::spawn(async move { answer(&mut c, &mut d, secret).await.is_ok() });
        let old = proof::random().unwrap();
        let heard = prove(secret, Prover::Follower, &Nonces { follower: &old, leader: &old });
        send(&mut b, &Opening::Hello { nonce: old }).await.unwrap();
        assert!(matches!(a.next().await.unwrap(), Some(Opening::Challenge { .. })));
        send(&mut b, &Opening::Proof { proof: heard }).await.unwrap();
        assert!(!answering.await.unwrap());
    }

    #[tokio::test]
    async fn a_follower_that_skips_the_proof_is_refused() {
        let [(mut a, mut b), (mut c, mut d)] = ends();
        let answering = tokio::spawn(async move { answer(&mut c, &mut d, "the secret").await.is_ok() });
        send(&mut b, &serde_json::json!({"kind": "stop", "ticket": 1})).await.unwrap();
        assert!(!answering.await.unwrap());
        assert!(a.next::<Opening>().await.unwrap().is_none());
    }
}
