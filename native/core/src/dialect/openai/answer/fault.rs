//! Why a 200 of Gemini is no answer. It gives the status a client may see and the sentence; who is blamed is decided by
//! the judge, from the error of Google's that a fault may hold.

use std::fmt;

use serde::de::IgnoredAny;

use super::progress::Progress;
use crate::dialect::openai::error::{error_body, error_with};
use crate::dispatch::upstream_error::UpstreamError;

/// Google's reason when a model that was to draw said something instead.
pub(super) const NO_IMAGE: &str = "NO_IMAGE";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Google said so, under a 200 or in the middle of a stream.
    Upstream(Box<UpstreamError>),
    /// Neither a candidate nor a reason why there is none.
    Empty,
    /// The answer ended before it was whole, or before each candidate of a stream had ended.
    EndedEarly,
    /// Not the JSON of an answer.
    Unreadable,
    /// One event was longer than an event may be.
    TooLong,
    /// Gemini gave up and gave nothing: its own reason (`MALFORMED_FUNCTION_CALL`), and its words if it had any.
    GaveUp { reason: String, message: String },
    /// All images were withheld.
    Withheld(String),
}

impl Fault {
    /// Of what could not be read as an answer: an error of Google's, a beginning, or neither.
    pub(super) fn of(body: &[u8]) -> Self {
        if let Some(error) = UpstreamError::parse(body) {
            return Self::Upstream(Box::new(error));
        }
        let read = serde_json::from_slice::<IgnoredAny>(body);
        if read.is_err_and(|error| error.is_eof()) { Self::EndedEarly } else { Self::Unreadable }
    }

    /// When every candidate is one that Gemini failed with, and nothing came of any.
    pub(super) fn if_all_gave_up<'c>(choices: impl IntoIterator<Item = &'c Progress>) -> Option<Self> {
        let mut ends = choices.into_iter().map(Progress::gave_up);
        let first = ends.next()??;
        let all = ends.all(|end| end.is_some());
        all.then(|| Self::GaveUp { reason: first.reason.clone(), message: first.message.clone() })
    }

    pub fn status(&self) -> u16 {
        match self {
            Self::Upstream(error) => error.http_status(),
            Self::Withheld(_) => 400,
            // It would say the same again, so clients must not try on their own.
            Self::GaveUp { reason, .. } if reason == NO_IMAGE => 400,
            _ => 502,
        }
    }

    /// The body of an error answer, or the data of a stream's last event.
    pub fn body(&self) -> String {
        let message = self.to_string();
        let kind = crate::dialect::openai_type(self.status());
        match self {
            Self::Upstream(error) => error_body(error.http_status(), Some(error), &message),
            Self::GaveUp { reason, .. } => error_with(&message, kind, &reason.to_ascii_lowercase()),
            Self::Withheld(_) => error_with(&message, kind, "content_policy_violation"),
            Self::Empty => error_with(&message, kind, "empty_answer"),
            Self::EndedEarly => error_with(&message, kind, "incomplete_answer"),
            Self::Unreadable | Self::TooLong => error_with(&message, kind, "unreadable_answer"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(error) if error.message.is_empty() => {
                write!(f, "Gemini failed with status {}.", error.http_status())
            }
            Self::Upstream(error) => f.write_str(&error.message),
            Self::Empty => f.write_str("Gemini answered without a candidate and without a reason."),
            Self::EndedEarly => {
                f.write_str("Gemini's answer ended before it was whole. Please send the request again.")
            }
            Self::Unreadable => f.write_str("Gemini's answer could not be read."),
            Self::TooLong => {
                f.write_str("A single event of Gemini's answer is longer than this endpoint can hold.")
            }
            Self::GaveUp { reason, message } if message.is_empty() => {
                write!(f, "Gemini gave up without an answer: {reason}.")
            }
            Self::GaveUp { reason, message } => {
                write!(f, "Gemini gave up without an answer: {reason}. {message}")
            }
            Self::Withheld(reason) => write!(f, "Gemini withheld the images: {reason}"),
        }
    }
}
