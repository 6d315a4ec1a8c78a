//! Reads Gemini's error body, `{"error":{"code","message","status","details":[…]}}`, in every shape seen: wrapped
//! in an array, snake_case, without details. It extracts what the judge asks for and keeps nothing else; shapes
//! and reasons come from docs/gemini-errors.md.

use std::time::Duration;

use serde_json::Value;

/// How much of the end of a text that was cut short may be given up to make sense of the rest, in characters.
const LONGEST_LOSS: usize = 128;
/// Longer texts that were cut short are not looked into; Google's errors are far shorter.
const LONGEST_MENDED: usize = 64 * 1024;

/// What the judge may want to know of an error answered by the upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamError {
    pub code: Option<u16>,
    /// For example `RESOURCE_EXHAUSTED`.
    pub status: String,
    pub message: String,
    /// `ErrorInfo.reason` of every detail.
    pub reasons: Vec<String>,
    /// `RetryInfo.retryDelay`, or "Please retry in Xs" of the message.
    pub retry_delay: Option<Duration>,
    /// `QuotaFailure.violations` of a 429; one body may hold several.
    pub violations: Vec<Violation>,
    /// `ErrorInfo.metadata.consumer`, for example `projects/123`: the project that the key belongs to.
    pub consumer: Option<String>,
}

/// One quota that is used up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation {
    /// For example `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
    pub quota: String,
    /// How much there is of it; 0 means that there is no quota for this model at all.
    pub value: Option<u64>,
    /// The model whose quota it is, where Google names it.
    pub model: Option<String>,
}

impl UpstreamError {
    /// `None` when the text is not an error in Gemini's shape (an HTML page of a load balancer, say). Of one that was
    /// cut short, what came.
    pub fn parse(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice(body) {
            Ok(value) => Self::from_value(&value),
            Err(error) if error.is_eof() && body.len() <= LONGEST_MENDED => Self::from_value(&mended(body)?),
            Err(_) => None,
        }
    }

    /// From `{"error":{…}}` or `[{"error":{…}}]`.
    pub fn from_value(value: &Value) -> Option<Self> {
        let outer = value.as_array().map_or(Some(value), |list| list.first())?;
        let error = outer.get("error")?.as_object()?;
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let details = error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let message = text("message");
        let retry_delay = details.iter().find_map(retry_info).or_else(|| retry_in_words(&message));
        Some(Self {
            code: error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()),
            status: text("status"),
            reasons: details
                .iter()
                .filter_map(|detail| detail.get("reason")?.as_str().map(str::to_owned))
                .collect(),
            violations: details.iter().flat_map(violations).collect(),
            consumer: details.iter().find_map(consumer),
            retry_delay,
            message,
        })
    }

    /// An error of which nothing came but a sentence: the reason of a WebSocket's close.
    pub fn in_words(message: &str) -> Self {
        Self { retry_delay: retry_in_words(message), message: message.to_owned(), ..Self::default() }
    }

    pub fn has_reason(&self, any_of: &[&str]) -> bool {
        self.reasons.iter().any(|reason| any_of.contains(&reason.as_str()))
    }

    /// The HTTP status that goes with the error, for one that came without: in the middle of a stream.
    pub fn http_status(&self) -> u16 {
        self.code.unwrap_or(match self.status.as_str() {
            "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
            "UNAUTHENTICATED" => 401,
            "PERMISSION_DENIED" => 403,
            "NOT_FOUND" => 404,
            "RESOURCE_EXHAUSTED" => 429,
            "CANCELLED" => 499,
            "UNAVAILABLE" => 503,
            "DEADLINE_EXCEEDED" => 504,
            _ => 500,
        })
    }

    /// The `m` of "models/m is not found".
    pub fn named_model(&self) -> Option<String> {
        let (_, after) = self.message.split_once("models/")?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = after.split(|c| !is_name(c)).next()?.trim_end_matches('.');
        (!name.is_empty()).then(|| name.to_owned())
    }

    pub fn begins(&self, any_of: &[&str]) -> bool {
        let message = self.message.trim_start().to_ascii_lowercase();
        any_of.iter().any(|words| message.starts_with(words))
    }

    pub fn says(&self, any_of: &[&str]) -> bool {
        let message = self.message.to_ascii_lowercase();
        any_of.iter().any(|words| message.contains(words))
    }
}

fn violations(detail: &Value) -> Vec<Violation> {
    let list = detail.get("violations").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().map(violation).collect()
}

fn violation(value: &Value) -> Violation {
    let either = |camel: &str, snake: &str| value.get(camel).or_else(|| value.get(snake));
    let quota = either("quotaId", "quota_id").or_else(|| either("quotaMetric", "quota_metric"));
    let amount = either("quotaValue", "quota_value");
    Violation {
        quota: quota.and_then(Value::as_str).unwrap_or_default().to_owned(),
        // A 64-bit number travels as a string in Google's JSON.
        value: amount.and_then(|amount| amount.as_u64().or_else(|| amount.as_str()?.parse().ok())),
        model: either("quotaDimensions", "quota_dimensions")
            .and_then(|dimensions| dimensions.get("model")?.as_str().map(str::to_owned)),
    }
}

/// A JSON text that ends too early, closed where it ends: open strings, objects and lists. `None` when even that makes
/// no JSON of it, in which case the status alone must do.
fn mended(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    // Cut in the middle of a name or a number it may need to lose a little more of its end.
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]).rev().take(LONGEST_LOSS);
    ends.filter_map(|end| serde_json::from_str(&closed(&text[..end])).ok()).next()
}

fn closed(text: &str) -> String {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '{' if !in_string => open.push('}'),
            '[' if !in_string => open.push(']'),
            '}' | ']' if !in_string => {
                open.pop();
            }
            _ => {}
        }
    }
    let quote = if in_string { "\"" } else { "" };
    let end = text.trim_end().trim_end_matches(',');
    let end = if in_string { text } else { end };
    format!("{end}{quote}{}", open.iter().rev().collect::<String>())
}

fn consumer(detail: &Value) -> Option<String> {
    let consumer = detail.get("metadata")?.get("consumer")?.as_str()?;
    consumer.starts_with("projects/").then(|| consumer.to_owned())
}

fn retry_info(detail: &Value) -> Option<Duration> {
    let delay = detail.get("retryDelay").or_else(|| detail.get("retry_delay"))?;
    match delay {
        Value::String(text) => seconds(text),
        // The protobuf form, {"seconds": 47, "nanos": 0}.
        Value::Object(parts) => parts.get("seconds").and_then(Value::as_u64).map(Duration::from_secs),
        _ => None,
    }
}

/// "Please retry in 25.46s.", the only hint of some bodies.
fn retry_in_words(message: &str) -> Option<Duration> {
    let (_, after) = message.split_once("retry in ")?;
    let number_and_unit: String =
        after.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | 's')).collect();
    seconds(number_and_unit.trim_end_matches('.'))
}

/// "47s" or "25.46s"; at most a day, so that a broken body cannot silence a key for good.
fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.strip_suffix('s')?.parse().ok()?;
    (number.is_finite() && number >= 0.0).then(|| Duration::from_secs_f64(number.min(86_400.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_delay_in_all_its_forms() {
        for (body, expected) in [
            (r#"{"error":{"code":429,"details":[{"@type":"x","retryDelay":"47s"}]}}"#, 47_000),
            (r#"[{"error":{"code":429,"details":[{"retry_delay":"25.46s"}]}}]"#, 25_460),
            (r#"{"error":{"details":[{"retryDelay":{"seconds":3}}]}}"#, 3_000),
            (r#"{"error":{"message":"Quota exceeded. Please retry in 12.5s."}}"#, 12_500),
        ] {
            let error = UpstreamError::parse(body.as_bytes()).unwrap();
            assert_eq!(error.retry_delay, Some(Duration::from_millis(expected)), "{body}");
        }
    }

    #[test]
    fn reads_every_violation_and_the_project_in_both_spellings() {
        let body = r#"{"error":{"code":429,"details":[
            {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
                {"quotaMetric":"m","quotaId":"PerDay-FreeTier","quotaDimensions":{"model":"x"},"quotaValue":"50"},
                {"quota_metric":"only-a-metric","quota_value":0}]},
            {"reason":"RATE_LIMIT_EXCEEDED","metadata":{"consumer":"projects/123"}}]}}"#;
        let error = UpstreamError::parse(body.as_bytes()).unwrap();
        let violation = |quota: &str, value, model: Option<&str>| Violation {
            quota: quota.to_owned(),
            value: Some(value),
            model: model.map(str::to_owned),
        };
        let expected = [violation("PerDay-FreeTier", 50, Some("x")), violation("only-a-metric", 0, None)];
        assert_eq!(error.violations, expected);
        assert_eq!(error.consumer.as_deref(), Some("projects/123"));
    }

    #[test]
    fn an_absurd_delay_is_cut_to_a_day_and_nonsense_ignored() {
        let parse = |delay: &str| {
            let body = format!(r#"{{"error":{{"details":[{{"retryDelay":"{delay}"}}]}}}}"#);
            UpstreamError::parse(body.as_bytes()).unwrap().retry_delay
        };
        assert_eq!(parse("99999999999s"), Some(Duration::from_secs(86_400)));
        assert_eq!(parse("-1s"), None);
        assert_eq!(parse("NaNs"), None);
        assert_eq!(parse("soon"), None);
    }

    #[test]
    fn of_a_text_cut_short_what_came_counts() {
        let whole = r#"{"error":{"code":429,"message":"Quota \"x\" exceeded, really","status":"RESOURCE_EXHAUSTED","details":[
            {"violations":[{"quotaId":"PerDay-FreeTier","quotaValue":"50"}]},{"retryDelay":"37s"}]}}"#;
        assert!(UpstreamError::parse(whole.as_bytes()).is_some_and(|error| error.retry_delay.is_some()));
        // From the first member on there is something to know, wherever the cut is.
        for end in r#"{"error":{"code":429"#.len()..whole.len() {
            let error = UpstreamError::parse(&whole.as_bytes()[..end]);
            assert_eq!(error.map(|error| error.code), Some(Some(429)), "cut at {end}");
        }
        let before_the_delay = &whole[..whole.find(r#"{"retryDelay"#).unwrap()];
        let error = UpstreamError::parse(before_the_delay.as_bytes()).unwrap();
        assert_eq!((error.violations.len(), error.retry_delay), (1, None));
        assert_eq!(UpstreamError::parse(br#"{"candidates":[{"#), None);
    }

    #[test]
    fn only_what_is_outside_of_strings_is_closed() {
        for (cut, whole) in [
            (r#"{"a":"{[","b":[1,{"c":"\\\"}"#, r#"{"a":"{[","b":[1,{"c":"\\\"}"}]}"#),
            (r#"{"a":"]}","b":"#, r#"{"a":"]}","b":}"#),
            (r#"{"a":[1],"b":{"c":2}, "#, r#"{"a":[1],"b":{"c":2}}"#),
            (r#"{"a":"text, "#, r#"{"a":"text, "}"#),
            (r#"[{"a":"\\","#, r#"[{"a":"\\"}]"#),
        ] {
            assert_eq!(closed(cut), whole);
        }
    }

    #[test]
    fn a_body_cut_anywhere_in_its_message_is_still_an_error() {
        let head = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":""#;
        let message = r#"limit: [20], a \"quota\" {per day}, \\ retry"#;
        for (end, _) in message.char_indices() {
            let error = UpstreamError::parse(format!("{head}{}", &message[..end]).as_bytes()).unwrap();
            assert_eq!(
                (error.code, error.status.as_str()),
                (Some(429), "RESOURCE_EXHAUSTED"),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn only_a_text_that_ends_too_early_is_mended_and_only_a_short_one() {
        let long = |length: usize| {
            let body = format!(r#"{{"error":{{"code":500,"message":"{}"#, "x".repeat(length));
            UpstreamError::parse(body.as_bytes()).and_then(|error| error.code)
        };
        assert_eq!(long(60 * 1024), Some(500));
        assert_eq!(long(64 * 1024), None);
        assert_eq!(UpstreamError::parse(br#"{"error":{"code":500}} <html>"#), None);
    }

    #[test]
    fn an_error_without_a_code_has_the_status_of_its_name() {
        let status =
            |name: &str| UpstreamError { status: name.to_owned(), ..UpstreamError::default() }.http_status();
        let names =
            ["RESOURCE_EXHAUSTED", "UNAVAILABLE", "INVALID_ARGUMENT", "PERMISSION_DENIED", "", "INTERNAL"];
        assert_eq!(names.map(status), [429, 503, 400, 403, 500, 500]);
        let names = ["UNAUTHENTICATED", "NOT_FOUND", "DEADLINE_EXCEEDED", "CANCELLED"];
        assert_eq!(names.map(status), [401, 404, 504, 499]);
        let coded =
            UpstreamError { code: Some(418), status: "UNAVAILABLE".to_owned(), ..UpstreamError::default() };
        assert_eq!(coded.http_status(), 418);
    }

    #[test]
    fn other_texts_are_not_errors_of_the_api() {
        for body in ["<html>502</html>", "", "{\"candidates\":[]}", "[]", "{\"error\":\"text\"}"] {
            assert_eq!(UpstreamError::parse(body.as_bytes()), None, "{body}");
        }
    }
}
