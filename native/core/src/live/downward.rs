//! What the upstream sends in a session, on its way to the client: cleaned of the key, and watched for the close frame.
//! Every frame keeps its length, and none waits for the next. It does not know what an end means to anybody.
//!
//! Invariant: a key echoed inside one frame never reaches the client, wherever the bytes are cut. One that is divided
//! between two frames of a message is not found: frames here are Google's, and it sends each message as one.

use bytes::{Bytes, BytesMut};

use super::close::Close;
use super::frames::{CLOSE, FrameReader};
use crate::forward::redact::Redactor;
use crate::secret::Secret;

/// A control frame carries no more.
const LONGEST_CLOSE: usize = 125;

pub struct Downward {
    frames: FrameReader,
    redactor: Redactor,
    /// The payload of the first close frame, as far as it has come.
    closing: Vec<u8>,
    close: Option<Close>,
}

impl Downward {
    pub fn new(key: Secret) -> Self {
        Self {
            frames: FrameReader::default(),
            redactor: Redactor::new(key),
            closing: Vec::new(),
            close: None,
        }
    }

    /// What may be passed on now. Within a frame bytes that may begin the key wait for the rest of it.
    pub fn push(&mut self, mut chunk: Bytes) -> Bytes {
        let mut passed = BytesMut::with_capacity(chunk.len());
        while !chunk.is_empty() {
            let part = self.frames.next(&chunk);
            let bytes = chunk.split_to(part.length);
            let before = passed.len();
            if part.is_payload {
                passed.extend_from_slice(&self.redactor.push(bytes));
            } else {
                passed.extend_from_slice(&bytes);
            }
            if part.ends {
                passed.extend_from_slice(&self.redactor.finish());
            }
            if part.opcode == Some(CLOSE) {
                let payload = if part.is_payload { &passed[before..] } else { &[] };
                self.watch(payload, part.ends);
            }
        }
        passed.freeze()
    }

    /// The upstream's bytes have ended: what was held back was not the key after all.
    pub fn finish(&mut self) -> Bytes {
        self.redactor.finish()
    }

    /// The upstream's close frame, once it is whole.
    pub fn close(&self) -> Option<&Close> {
        self.close.as_ref()
    }

    /// A frame of our own would not cut one of the upstream's in two.
    pub fn is_between_frames(&self) -> bool {
        self.frames.is_between_frames()
    }

    fn watch(&mut self, payload: &[u8], ends: bool) {
        if self.close.is_some() {
            return;
        }
        let room = LONGEST_CLOSE.saturating_sub(self.closing.len());
        self.closing.extend_from_slice(&payload[..payload.len().min(room)]);
        if ends {
            self.close = Some(Close::parse(&self.closing));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "test-key-alpha-0001";

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode, u8::try_from(payload.len()).unwrap()];
        bytes.extend_from_slice(payload);
        bytes
    }

    fn session(reason: &str) -> Vec<u8> {
        let mut close = 1008_u16.to_be_bytes().to_vec();
        close.extend_from_slice(reason.as_bytes());
        [frame(1, format!("echo {KEY} and {KEY}").as_bytes()), frame(2, b"test-key-al"), frame(8, &close)]
            .concat()
    }

    #[test]
    fn the_key_is_blotted_and_the_close_is_read_wherever_the_bytes_are_cut() {
        let reason = format!("Consumer {KEY} suspended");
        let (bytes, blot) = (session(&reason), "***************0001");
        let clean = String::from_utf8_lossy(&bytes).replace(KEY, blot);
        for cut in 0..=bytes.len() {
            let mut downward = Downward::new(Secret::new(KEY));
            let first = downward.push(Bytes::copy_from_slice(&bytes[..cut]));
            let second = downward.push(Bytes::copy_from_slice(&bytes[cut..]));
            let passed = [first, second].concat();
            assert_eq!(String::from_utf8_lossy(&passed), clean, "cut at {cut}");
            let close = downward.close().unwrap();
            assert_eq!((close.code, close.reason.as_str()), (Some(1008), &*reason.replace(KEY, blot)));
        }
    }

    #[test]
    fn a_whole_frame_never_waits_for_the_next() {
        let mut downward = Downward::new(Secret::new(KEY));
        let ends_like_the_key = frame(1, b"test-key");
        assert_eq!(downward.push(Bytes::from(ends_like_the_key.clone())), ends_like_the_key);
        assert!(downward.close().is_none() && downward.is_between_frames());
    }

    #[test]
    fn a_close_without_a_body_is_a_close() {
        let mut downward = Downward::new(Secret::new(KEY));
        downward.push(Bytes::from(frame(8, b"")));
        assert_eq!(downward.close(), Some(&Close { code: None, reason: String::new() }));
    }
}
