//! The SSE reader: the same events however the text is cut, none longer than the limit, nothing read twice.

use aggregator_core::generate::sse::{LONGEST_EVENT, SseReader, TooLong};

use super::cuts;

/// Small, so that inputs of a few bytes reach it.
const SHORT: usize = 48;

pub fn sse(input: &[u8]) {
    for limit in [SHORT, LONGEST_EVENT] {
        let [whole, others @ ..] = cuts(input);
        let expected = read(&whole, limit);
        for pieces in others {
            assert_eq!(read(&pieces, limit), expected, "limit {limit}");
        }
        let (events, end) = expected;
        assert!(events.iter().all(|event| event.len() <= limit), "an event beyond the limit");
        assert!(events.iter().map(Vec::len).sum::<usize>() <= input.len(), "something was read twice");
        assert!(end.is_ok() || input.len() > limit / 2, "too long, of {} bytes", input.len());
    }
}

fn read(pieces: &[&[u8]], limit: usize) -> (Vec<Vec<u8>>, Result<(), TooLong>) {
    let mut reader = SseReader::with_limit(limit);
    let mut events = Vec::new();
    let mut each = |event: &[u8]| events.push(event.to_vec());
    let pushed = pieces.iter().try_for_each(|piece| reader.push(piece, &mut each));
    let end = pushed.and_then(|()| reader.end(&mut each));
    (events, end)
}
