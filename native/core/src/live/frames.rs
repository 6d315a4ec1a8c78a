//! The boundaries of WebSocket frames (RFC 6455 §5.2) in bytes that stream by: where each head, payload and end is. It
//! keeps no payload and checks nothing; bytes that are no frames are divided wrongly and pass all the same. Pure.

/// The opcode of a close frame.
pub const CLOSE: u8 = 8;

/// Two bytes, a length of eight, a mask of four.
const LONGEST_HEAD: usize = 14;

#[derive(Default)]
pub struct FrameReader {
    head: [u8; LONGEST_HEAD],
    have: usize,
    /// Bytes of the payload still to come.
    left: u64,
    opcode: u8,
}

/// A stretch of bytes from the front that belong to one frame, as head or as payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub length: usize,
    pub is_payload: bool,
    /// Known once the head is whole.
    pub opcode: Option<u8>,
    /// The frame is complete with it.
    pub ends: bool,
}

impl FrameReader {
    /// The part at the front of `bytes`, which must not be empty.
    pub fn next(&mut self, bytes: &[u8]) -> Part {
        if self.left > 0 {
            let length = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= length as u64;
            return Part { length, is_payload: true, opcode: Some(self.opcode), ends: self.left == 0 };
        }
        let mut length = 0;
        while length < bytes.len() && self.have < self.head_length() {
            self.head[self.have] = bytes[length];
            self.have += 1;
            length += 1;
        }
        if self.have < self.head_length() {
            return Part { length, is_payload: false, opcode: None, ends: false };
        }
        self.left = self.payload_length();
        self.opcode = self.head[0] & 0x0f;
        self.have = 0;
        Part { length, is_payload: false, opcode: Some(self.opcode), ends: self.left == 0 }
    }

    /// Nothing of a frame is under way.
    pub fn is_between_frames(&self) -> bool {
        self.left == 0 && self.have == 0
    }

    fn head_length(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + self.length_bytes() + mask
    }

    fn length_bytes(&self) -> usize {
        match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    fn payload_length(&self) -> u64 {
        match self.length_bytes() {
            0 => u64::from(self.head[1] & 0x7f),
            count => self.head[2..2 + count].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opcode, payload and whether a mask lies between head and payload.
    const FRAMES: [(u8, usize, bool); 6] =
        [(1, 5, false), (9, 0, false), (2, 125, true), (2, 126, false), (2, 70_000, true), (8, 2, false)];

    fn frame(opcode: u8, length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | opcode];
        match length {
            0..126 => bytes.push(mask | u8::try_from(length).unwrap()),
            126..65_536 => {
                bytes.push(mask | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(std::iter::repeat_n(0xaa, if masked { 4 } else { 0 }));
        bytes.extend(std::iter::repeat_n(opcode, length));
        bytes
    }

    /// Every frame's opcode and payload length, as read from `pieces`.
    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<(u8, usize)> {
        let (mut reader, mut frames, mut payload) = (FrameReader::default(), Vec::new(), 0);
        for mut piece in pieces {
            while !piece.is_empty() {
                let part = reader.next(piece);
                if part.is_payload {
                    let opcode = part.opcode.unwrap();
                    assert!(piece[..part.length].iter().all(|byte| *byte == opcode), "not all is payload");
                    payload += part.length;
                }
                if part.ends {
                    frames.push((part.opcode.unwrap(), payload));
                    payload = 0;
                }
                piece = &piece[part.length..];
            }
        }
        assert!(reader.is_between_frames());
        frames
    }

    #[test]
    fn frames_are_told_apart_wherever_the_bytes_are_cut() {
        let bytes: Vec<u8> =
            FRAMES.iter().flat_map(|(opcode, length, masked)| frame(*opcode, *length, *masked)).collect();
        let expected: Vec<(u8, usize)> =
            FRAMES.iter().map(|(opcode, length, _)| (*opcode, *length)).collect();
        for cut in (0..500).chain(bytes.len() - 20..=bytes.len()) {
            assert_eq!(read([&bytes[..cut], &bytes[cut..]].into_iter()), expected, "cut at {cut}");
        }
        for size in [1, 2, 3, 7, 1_000] {
            assert_eq!(read(bytes.chunks(size)), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn the_middle_of_a_head_is_not_between_frames() {
        let mut reader = FrameReader::default();
        assert!(reader.is_between_frames());
        reader.next(&[0x82]);
        assert!(!reader.is_between_frames());
        reader.next(&[0x01]);
        assert!(!reader.is_between_frames());
        reader.next(b"x");
        assert!(reader.is_between_frames());
    }
}
