//! Images of Gemini's in OpenAI's list, from the parts of a generated answer or from Imagen's predictions. An image is
//! copied once, as the base64 it is. Several answers may be gathered into one, for models that draw one at a time.

use bytes::BytesMut;

use super::fault::{Fault, NO_IMAGE};
use super::json::{inside, integer, name, raw, string};
use super::progress::{Ended, Media, Progress, Source, What};
use super::usage;
use crate::generate::answer::others::{Prediction, Predictions};
use crate::generate::answer::{Answer, Usage};

/// How many characters of what a model said instead of drawing are passed on.
const LONGEST_EXCUSE: usize = 400;

pub struct Images {
    created: u64,
    /// `response_format: "url"`: a data URL, since nothing is kept here that an address could lead to.
    as_url: bool,
    data: BytesMut,
    usage: Option<Usage>,
}

impl Images {
    pub fn new(created: u64, as_url: bool) -> Self {
        Self { created, as_url, data: BytesMut::new(), usage: None }
    }

    /// Adds the images of one body of a 200; a fault when there is none in it.
    pub fn add(&mut self, body: &[u8]) -> Result<(), Fault> {
        if let Ok(Predictions { predictions }) = serde_json::from_slice(body)
            && !predictions.is_empty()
        {
            return self.add_predictions(&predictions);
        }
        match Answer::parse(body) {
            Ok(answer) if answer.error.is_none() => self.add_answer(answer),
            _ => Err(Fault::of(body)),
        }
    }

    pub fn finish(self, out: &mut BytesMut) {
        raw(out, "{\"created\":");
        integer(out, self.created);
        raw(out, ",\"data\":[");
        out.extend_from_slice(&self.data);
        raw(out, "]");
        if let Some(usage) = &self.usage {
            raw(out, ",\"usage\":");
            usage::write_for_images(out, usage);
        }
        raw(out, "}");
    }

    fn add_predictions(&mut self, predictions: &[Prediction<'_>]) -> Result<(), Fault> {
        let before = self.data.len();
        for prediction in predictions {
            if let Some(data) = prediction.bytes_base64_encoded.and_then(inside) {
                let mime_type = prediction.mime_type.some().unwrap_or("image/png");
                self.image(mime_type, data, prediction.prompt.some());
            }
        }
        if self.data.len() > before {
            return Ok(());
        }
        let reason = predictions.iter().find_map(|prediction| prediction.rai_filtered_reason.some());
        Err(reason.map_or(Fault::Empty, |reason| Fault::Withheld(reason.to_owned())))
    }

    fn add_answer(&mut self, answer: Answer<'_>) -> Result<(), Fault> {
        let before = self.data.len();
        let (mut said, mut end) = (String::new(), answer.prompt_feedback.as_ref().and_then(Ended::of));
        for candidate in &answer.candidates {
            let mut progress = Progress::default();
            progress.note(candidate);
            for part in &candidate.content.parts {
                match progress.read(part).what {
                    What::Image { media: Media { mime_type, source: Source::Data(data), .. }, .. } => {
                        self.image(mime_type, inside(data).unwrap_or_default(), None);
                    }
                    What::Text(text) => said.push_str(&text),
                    _ => {}
                }
            }
            end = end.or(progress.ended);
        }
        if self.data.len() == before {
            return Err(why_none(end, &said));
        }
        if let Some(usage) = answer.usage_metadata {
            self.count(&usage);
        }
        Ok(())
    }

    fn image(&mut self, mime_type: &str, data: &str, revised_prompt: Option<&str>) {
        let out = &mut self.data;
        raw(out, if out.is_empty() { "{" } else { ",{" });
        if self.as_url {
            raw(out, "\"url\":");
            string(out, &format!("data:{mime_type};base64,"));
            // Back over the closing quote: the data follows in the same string.
            out.truncate(out.len().saturating_sub(1));
        } else {
            raw(out, "\"b64_json\":\"");
        }
        raw(out, data);
        raw(out, "\"");
        if let Some(prompt) = revised_prompt {
            name(out, &mut false, "revised_prompt");
            string(out, prompt);
        }
        raw(out, "}");
    }

    fn count(&mut self, more: &Usage) {
        let sum = self.usage.get_or_insert_default();
        let add = |mine: &mut Option<u64>, theirs: Option<u64>| {
            *mine = match (*mine, theirs) {
                (Some(mine), Some(theirs)) => Some(mine + theirs),
                (mine, theirs) => mine.or(theirs),
            };
        };
        add(&mut sum.prompt_token_count, more.prompt_token_count);
        add(&mut sum.candidates_token_count, more.candidates_token_count);
        add(&mut sum.thoughts_token_count, more.thoughts_token_count);
        add(&mut sum.tool_use_prompt_token_count, more.tool_use_prompt_token_count);
        add(&mut sum.total_token_count, more.total_token_count);
        sum.prompt_tokens_details.extend_from_slice(&more.prompt_tokens_details);
    }
}

fn why_none(end: Option<Ended>, said: &str) -> Fault {
    let excuse: String = said.chars().take(LONGEST_EXCUSE).collect();
    match end {
        Some(end) if end.is_withheld() => {
            Fault::Withheld(format!("{} {}", end.reason, end.message).trim().to_owned())
        }
        Some(end) if excuse.is_empty() && end.reason != "STOP" => {
            Fault::GaveUp { reason: end.reason, message: end.message }
        }
        _ if !excuse.is_empty() => Fault::GaveUp { reason: NO_IMAGE.to_owned(), message: excuse },
        _ => Fault::Empty,
    }
}
