//! Reads Gemini's error body, `{"error":{"code","message","status","details":[…]}}`, in every shape seen: wrapped
//! in an array, snake_case, without details. It extracts what the judge asks for and keeps nothing else; shapes
//! and reasons come from docs/gemini-errors.md.

use std::time::Duration;

use serde_json::Value;

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
}

impl UpstreamError {
    /// `None` when the text is not an error in Gemini's shape (an HTML page of a load balancer, say).
    pub fn parse(body: &[u8]) -> Option<Self> {
        Self::from_value(&serde_json::from_slice(body).ok()?)
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

    pub fn has_reason(&self, any_of: &[&str]) -> bool {
        self.reasons.iter().any(|reason| any_of.contains(&reason.as_str()))
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
    }
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
        let violation = |quota: &str, value| Violation { quota: quota.to_owned(), value: Some(value) };
        assert_eq!(error.violations, [violation("PerDay-FreeTier", 50), violation("only-a-metric", 0)]);
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
    fn other_texts_are_not_errors_of_the_api() {
        for body in ["<html>502</html>", "", "{\"candidates\":[]}", "[]", "{\"error\":\"text\"}"] {
            assert_eq!(UpstreamError::parse(body.as_bytes()), None, "{body}");
        }
    }
}
