//! How two windows show each other that they know the secret of the leader's file, without saying it: an HMAC over both
//! nonces and the name of the role that proves. Pure; nonces are made by the caller's side of the handshake.
//!
//! Invariant: no proof serves twice or for the other role: it covers the other side's fresh nonce and the prover's role.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

const BYTES: usize = 32;

#[derive(Clone, Copy)]
pub enum Prover {
    Leader,
    Follower,
}

impl Prover {
    fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
        }
    }
}

/// What both sides brought.
pub struct Nonces<'a> {
    pub follower: &'a str,
    pub leader: &'a str,
}

pub fn prove(secret: &str, prover: Prover, nonces: &Nonces<'_>) -> String {
    let tag = hmac::sign(&key(secret), covered(prover, nonces).as_bytes());
    hex(tag.as_ref())
}

/// In constant time.
pub fn holds(secret: &str, prover: Prover, nonces: &Nonces<'_>, offered: &str) -> bool {
    let Some(tag) = unhex(offered) else { return false };
    hmac::verify(&key(secret), covered(prover, nonces).as_bytes(), &tag).is_ok()
}

/// 32 random bytes as hex: a nonce, or the secret of one leadership. `None` when the system gives none.
pub fn random() -> Option<String> {
    let mut bytes = [0_u8; BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

pub fn is_random(text: &str) -> bool {
    text.len() == 2 * BYTES && unhex(text).is_some()
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn covered(prover: Prover, nonces: &Nonces<'_>) -> String {
    format!("gemini-aggregator windows\n{}\n{}\n{}", prover.name(), nonces.follower, nonces.leader)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_needs_the_secret_its_nonces_and_its_role() {
        let (secret, other) = (random().unwrap(), random().unwrap());
        let (ours, theirs, fresh) = (random().unwrap(), random().unwrap(), random().unwrap());
        let nonces = Nonces { follower: &ours, leader: &theirs };
        let proof = prove(&secret, Prover::Leader, &nonces);
        assert!(holds(&secret, Prover::Leader, &nonces, &proof));
        assert!(!holds(&other, Prover::Leader, &nonces, &proof), "another secret");
        assert!(!holds(&secret, Prover::Follower, &nonces, &proof), "reflected");
        let later = Nonces { follower: &fresh, leader: &theirs };
        assert!(!holds(&secret, Prover::Leader, &later, &proof), "replayed");
        for wrong in ["", "zz", "é", &proof[..62]] {
            assert!(!holds(&secret, Prover::Leader, &nonces, wrong), "{wrong}");
        }
    }
}
