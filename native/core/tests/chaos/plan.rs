//! What one case consists of, drawn from its seed: keys and the way each takes, proxies and how often they misbehave,
//! requests and what their clients do. Pure; it must not know sockets nor what is to come of it.

use fastrand::Rng;

use crate::answer::{Kind, pick};
use crate::client::Sending;

pub struct Plan {
    pub seed: u64,
    /// For each key the proxy it takes; `None` goes direct.
    pub keys: Vec<Option<usize>>,
    /// For each proxy, how many tunnels of ten it spoils.
    pub proxies: Vec<u8>,
    pub max_attempts: u32,
    pub requests: Vec<Request>,
}

#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub number: usize,
    pub kind: Kind,
    pub body: usize,
    pub chunked: bool,
    pub gzip: bool,
    pub leave: Leave,
    /// Its answers pause until the requests that do not pause are through.
    pub pauses: bool,
    /// Starts when so many of the requests that do not pause are through.
    pub after: usize,
}

/// When the client goes away, and whether with a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    Never,
    /// In its own request, after so many bytes of the body.
    InRequest {
        after: usize,
        reset: bool,
    },
    /// When the upstream has its request.
    Waiting {
        reset: bool,
    },
    /// In the answer, after so many bytes of the content.
    InAnswer {
        after: usize,
        reset: bool,
    },
}

impl Plan {
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let proxies: Vec<u8> = (0..rng.usize(..3)).map(|_| *pick(&mut rng, &[0, 3, 6])).collect();
        let way = |rng: &mut Rng| {
            let proxy = rng.usize(..=proxies.len());
            (proxy < proxies.len()).then_some(proxy)
        };
        let keys = (0..rng.usize(2..4)).map(|_| way(&mut rng)).collect();
        let mut others = 0;
        let mut requests = Vec::new();
        for number in 0..rng.usize(1..7) {
            let request = Request::draw(number, others, &mut rng);
            others += usize::from(!request.pauses);
            requests.push(request);
        }
        Self { seed, keys, proxies, max_attempts: rng.u32(1..6), requests }
    }

    /// A generator for one purpose, whatever order the purposes are met in.
    pub fn rng(&self, purpose: usize, nth: usize) -> Rng {
        let mixed = (purpose as u64) << 32 | nth as u64;
        Rng::with_seed(self.seed.rotate_left(24) ^ mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub fn unpaused(&self) -> usize {
        self.requests.iter().filter(|request| !request.pauses).count()
    }
}

impl Request {
    fn draw(number: usize, others_before: usize, rng: &mut Rng) -> Self {
        let body = *pick(rng, &[0, 20, 3_000, 90_000]);
        let reset = rng.bool();
        let leave = match rng.u8(..10) {
            0 if body > 0 => Leave::InRequest { after: rng.usize(..body), reset },
            1 => Leave::Waiting { reset },
            2 => Leave::InAnswer { after: rng.usize(..4_000), reset },
            _ => Leave::Never,
        };
        Self {
            number,
            kind: *pick(rng, &[Kind::Sse, Kind::Sse, Kind::Array, Kind::Plain]),
            body,
            chunked: rng.bool(),
            gzip: rng.bool(),
            leave,
            pauses: rng.u8(..3) == 0,
            after: rng.usize(..=others_before),
        }
    }

    pub fn model(&self) -> String {
        format!("m{}", self.number)
    }

    pub fn sending(&self) -> Sending {
        let call = match self.kind {
            Kind::Sse => "streamGenerateContent?alt=sse",
            Kind::Array => "streamGenerateContent",
            Kind::Plain => "generateContent",
        };
        Sending {
            number: self.number,
            path: format!("/v1beta/models/{}:{call}", self.model()),
            body: body(self.number, self.body),
            chunked: self.chunked,
            gzip: self.gzip,
            leave: self.leave,
        }
    }
}

/// Different at every place and for every request, so that a lost or doubled piece shows.
pub fn body(number: usize, length: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(length + 16);
    while body.len() < length {
        body.extend_from_slice(format!("{number}:{} ", body.len()).as_bytes());
    }
    body.truncate(length);
    body
}
