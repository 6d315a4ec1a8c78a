//! The answers of each OpenAI operation, as the dispatcher asks for them. It only picks the encoder; what an answer looks
//! like is `answer`'s business.

use bytes::{Bytes, BytesMut};

use super::Asked;
use super::answer::{Fault, Images, ModelList, StreamEncoder, embeddings, model, whole};
use super::error::error_body;
use crate::dialect::ApiError;
use crate::dialect::translation::{Signatures, StreamTranslation, Translated, Translation, Untranslatable};
use crate::dispatch::judge::Outcome;
use crate::dispatch::upstream_error::UpstreamError;

/// What was asked, as far as its answer needs it.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Chat and legacy completions.
    Generate(Box<Asked>),
    Embeddings {
        /// As the client wrote it.
        model: String,
        base64: bool,
    },
    Images {
        created: u64,
        as_url: bool,
    },
    Models {
        /// Names that the user's aliases add.
        aliases: Vec<String>,
    },
    Model,
}

impl Translation for Operation {
    fn whole(&self, body: &[u8]) -> Result<Translated, Untranslatable> {
        let mut out = BytesMut::with_capacity(body.len() + 256);
        let mut signatures = Signatures::new();
        let told = match self {
            Self::Generate(asked) => whole(asked, body, &mut fresh_ids(&asked.id), &mut out)
                .map(|told| signatures = told.signatures),
            Self::Embeddings { model, base64 } => embeddings(model, *base64, body, &mut out),
            Self::Images { created, as_url } => {
                let mut images = Images::new(*created, *as_url);
                images.add(body).map(|()| images.finish(&mut out))
            }
            Self::Models { aliases } => {
                let mut list = ModelList::default();
                list.add(body).map(|_| {
                    aliases.iter().for_each(|alias| list.add_alias(alias));
                    list.finish(&mut out);
                })
            }
            Self::Model => model(body, &mut out),
        };
        told.map(|()| Translated { body: out.freeze(), signatures }).map_err(|fault| untranslatable(&fault))
    }

    fn stream(&self) -> Option<Box<dyn StreamTranslation>> {
        match self {
            Self::Generate(asked) if asked.streams => {
                let ids = fresh_ids(&asked.id);
                Some(Box::new(Streaming { encoder: StreamEncoder::new((**asked).clone(), ids) }))
            }
            _ => None,
        }
    }

    fn refusal(&self, status: u16, error: Option<&UpstreamError>, message: &str) -> Bytes {
        error_body(status, error, message).into()
    }
}

/// `<answer>_0`, `_1`, …: unique as the answer's id is.
fn fresh_ids(answer: &str) -> impl FnMut() -> String + Send + Sync + use<> {
    let (answer, mut next) = (answer.to_owned(), 0_u32);
    move || {
        next += 1;
        format!("{answer}_{}", next - 1)
    }
}

fn untranslatable(fault: &Fault) -> Untranslatable {
    Untranslatable {
        outcome: outcome_of(fault),
        status: fault.status(),
        message: fault.to_string(),
        body: fault.body().into(),
    }
}

/// Who is to blame is the judge's to say: Google's own error is one like any other, a broken answer may be whole with
/// another key, and a model that gave up would give up again.
fn outcome_of(fault: &Fault) -> Outcome {
    match fault {
        Fault::Upstream(error) => Outcome::StreamError(error.clone()),
        Fault::Empty | Fault::EndedEarly | Fault::Unreadable | Fault::TooLong => {
            Outcome::Interrupted(fault.to_string())
        }
        Fault::GaveUp { .. } | Fault::Withheld(_) => {
            Outcome::Answered { status: 200, error: None, retry_after: None }
        }
    }
}

struct Streaming<I> {
    encoder: StreamEncoder<I>,
}

impl<I: FnMut() -> String + Send + Sync> StreamTranslation for Streaming<I> {
    fn push(&mut self, piece: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(piece.len() + 256);
        self.encoder.push(piece, &mut out);
        out.freeze()
    }

    fn finish(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        self.encoder.finish(&mut out);
        out.freeze()
    }

    fn fail(&mut self, error: &ApiError) -> Bytes {
        let mut out = BytesMut::new();
        self.encoder.fail(error, &mut out);
        out.freeze()
    }

    fn signatures(&mut self) -> Signatures {
        self.encoder.take_signatures()
    }

    fn outcome(&self) -> Option<Outcome> {
        self.encoder.fault().map(outcome_of)
    }
}
