//! An open-loop load for `npm run bench`: small requests at fixed times over kept-alive connections, in turns to the
//! upstream itself and through what stands before it. A request's latency counts from the time at which it was to be
//! sent, so that a stall is felt by all that it delayed. Prints one line of JSON; knows no bounds and no gateway.
//!
//! Usage: `open_loop PER_SECOND SECONDS TOKEN PATH DIRECT_PORT THROUGH_PORT`

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

type Failure = Box<dyn Error + Send + Sync>;

/// Each sends every sixteenth request, so that a late answer does not hold up the next.
const CONNECTIONS: u32 = 16;
const ROUNDS: u32 = 4;
const BODY: &str = r#"{"contents":[{"role":"user","parts":[{"text":"Say hello to the machine."}]}]}"#;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [per_second, seconds, token, path, direct, through] = arguments.as_slice() else {
        return Err("usage: open_loop PER_SECOND SECONDS TOKEN PATH DIRECT_PORT THROUGH_PORT".into());
    };
    let (per_second, seconds): (u32, u32) = (per_second.parse()?, seconds.parse()?);
    let ports = [direct.parse()?, through.parse()?];
    let mut took = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (port, took) in ports.iter().zip(&mut took) {
            let measured = load(*port, per_second, per_second * seconds / ROUNDS, token, path)?;
            // The first round opens connections and warms caches.
            if round > 0 {
                took.extend(measured);
            }
        }
    }
    let [direct, through] = took.map(told);
    let line = serde_json::json!({ "direct": direct, "through": through });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

fn told(mut took: Vec<Duration>) -> serde_json::Value {
    took.sort_unstable();
    let at = |part: f64| {
        let place = ((took.len() as f64 * part) as usize).min(took.len().saturating_sub(1));
        took.get(place).map(|took| took.as_secs_f64() * 1e6)
    };
    serde_json::json!({ "requests": took.len(), "p50Us": at(0.5), "p99Us": at(0.99) })
}

/// One round: `count` requests, each with its own time.
fn load(port: u16, per_second: u32, count: u32, token: &str, path: &str) -> Result<Vec<Duration>, Failure> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n\
         x-goog-api-key: {token}\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let apart = Duration::from_secs(1) / per_second;
    let begins = Instant::now() + Duration::from_millis(50);
    let own =
        |first: u32| (first..count).step_by(CONNECTIONS as usize).map(move |slot| begins + apart * slot);
    thread::scope(|scope| {
        let request = request.as_bytes();
        let senders: Vec<_> =
            (0..CONNECTIONS).map(|first| scope.spawn(move || send(port, request, own(first)))).collect();
        let mut all = Vec::new();
        for sender in senders {
            all.extend(sender.join().map_err(|_| "a sender broke off")??);
        }
        Ok(all)
    })
}

fn send(port: u16, request: &[u8], times: impl Iterator<Item = Instant>) -> Result<Vec<Duration>, Failure> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    let mut took = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    for time in times {
        thread::sleep(time.saturating_duration_since(Instant::now()));
        stream.write_all(request)?;
        read_answer(&mut stream, &mut buffer)?;
        took.push(time.elapsed());
    }
    Ok(took)
}

fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<(), Failure> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        filled += read;
        if let Some(whole) = length_of(&buffer[..filled])?
            && filled >= whole
        {
            return Ok(());
        }
        if read == 0 {
            return Err("the connection ended before a whole answer".into());
        }
    }
}

/// Head and body together, once the head is there.
fn length_of(answer: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(format!("answered: {}", head.lines().next().unwrap_or_default()).into());
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    Ok(Some(end + 4 + length.ok_or("an answer without a length")?.trim().parse::<usize>()?))
}
