//! The table of docs/gemini-errors.md, row by row, with bodies in the shapes that were seen: sparse, snake_case,
//! wrapped in an array, HTML, cut short, and texts of a caller that only look like Google's.

use super::*;

fn answered(status: u16, body: &str) -> Verdict {
    judge(&Outcome::Answered {
        status,
        error: UpstreamError::parse(body.as_bytes()).map(Box::new),
        retry_after: None,
    })
}

/// Status, what is answered, who is to blame, whether another key may try.
type Row = (u16, &'static str, Blame, bool);

fn check(rows: &[Row]) {
    for (status, body, blame, retry) in rows {
        let verdict = answered(*status, body);
        assert_eq!((verdict.blame, verdict.retry), (*blame, *retry), "{status} {body}");
        assert_eq!(verdict.reason.is_empty(), *blame == Blame::Nobody, "{status} {body}");
        assert_eq!(verdict.rests.is_empty(), *blame != Blame::Quota, "{status} {body}");
    }
}

#[test]
fn what_succeeds_blames_nobody() {
    check(&[
        (200, "", Blame::Nobody, false),
        (206, "{}", Blame::Nobody, false),
        (302, "", Blame::Nobody, false),
        (399, "", Blame::Nobody, false),
    ]);
}

#[test]
fn a_refused_key_is_told_from_a_caller_who_speaks_of_keys() {
    check(&[
        (
            400,
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT",
               "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            Blame::Key,
            true,
        ),
        (400, r#"{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}"#, Blame::Key, true),
        (400, r#"{"error":{"message":"API Key not found. Please pass a valid API key."}}"#, Blame::Key, true),
        (400, r#"[{"error":{"message":"API key expired. Please renew the API key."}}]"#, Blame::Key, true),
        (401, r#"{"error":{"status":"UNAUTHENTICATED"}}"#, Blame::Key, true),
        (
            401,
            r#"{"error":{"message":"Request had invalid credentials","details":[{"reason":"ACCESS_TOKEN_TYPE_UNSUPPORTED"}]}}"#,
            Blame::Key,
            true,
        ),
        (401, "<html>401. That's an error.</html>", Blame::Key, true),
        (
            403,
            r#"{"error":{"message":"Your API key was reported as leaked. Please use another."}}"#,
            Blame::Key,
            true,
        ),
        (
            403,
            r#"{"error":{"message":"Permission denied: Consumer 'api_key:x' has been suspended."}}"#,
            Blame::Key,
            true,
        ),
        (
            403,
            r#"{"error":{"message":"Your project has been denied access. Please contact support."}}"#,
            Blame::Key,
            true,
        ),
        (403, r#"{"error":{"message":"x","details":[{"reason":"SERVICE_DISABLED"}]}}"#, Blame::Key, true),
        (
            403,
            r#"{"error":{"message":"x","details":[{"reason":"API_KEY_SERVICE_BLOCKED"}]}}"#,
            Blame::Key,
            true,
        ),
        (403, r#"{"error":{"message":"x","details":[{"reason":"CONSUMER_SUSPENDED"}]}}"#, Blame::Key, true),
        (403, r#"{"error":{"message":"x","details":[{"reason":"CONSUMER_INVALID"}]}}"#, Blame::Key, true),
        // A caller's own words, quoted by Google, disable nobody.
        (
            400,
            r#"{"error":{"message":"Invalid JSON payload received. Unknown name \"API key not valid\".","status":"INVALID_ARGUMENT"}}"#,
            Blame::Caller,
            false,
        ),
        (
            400,
            r#"{"error":{"message":"The text \"was reported as leaked\" is too long"}}"#,
            Blame::Caller,
            false,
        ),
        (
            403,
            r#"{"error":{"message":"You do not have permission to access the File has been suspended or it may not exist."}}"#,
            Blame::Caller,
            false,
        ),
        (429, r#"{"error":{"message":"API key not valid"}}"#, Blame::Quota, true),
    ]);
}

#[test]
fn a_callers_mistake_charges_nobody_and_is_not_tried_again() {
    check(&[
        (400, r#"{"error":{"status":"INVALID_ARGUMENT","message":"bad field"}}"#, Blame::Caller, false),
        (400, "", Blame::Caller, false),
        (400, "<html>400. Malformed.</html>", Blame::Caller, false),
        (
            400,
            r#"{"error":{"status":"FAILED_PRECONDITION","message":"Precondition check failed."}}"#,
            Blame::Caller,
            false,
        ),
        (
            403,
            r#"{"error":{"status":"PERMISSION_DENIED","message":"You do not have permission to access the File abc or it may not exist."}}"#,
            Blame::Caller,
            false,
        ),
        (
            403,
            r#"{"error":{"message":"CachedContent not found (or permission denied)"}}"#,
            Blame::Caller,
            false,
        ),
        (
            404,
            r#"{"error":{"status":"NOT_FOUND","message":"Requested entity was not found."}}"#,
            Blame::Caller,
            false,
        ),
        (404, "<html>404. Not found.</html>", Blame::Caller, false),
        (405, "", Blame::Caller, false),
        (409, r#"{"error":{"status":"ABORTED"}}"#, Blame::Caller, false),
        (412, "", Blame::Caller, false),
        (413, "<html>413. Too large.</html>", Blame::Caller, false),
        (417, "", Blame::Caller, false),
        (422, "", Blame::Caller, false),
        (499, r#"{"error":{"status":"CANCELLED"}}"#, Blame::Caller, false),
        (501, r#"{"error":{"status":"UNIMPLEMENTED"}}"#, Blame::Caller, false),
    ]);
}

#[test]
fn a_model_that_this_key_has_not_concerns_the_pair_only() {
    check(&[
        (
            404,
            r#"{"error":{"code":404,"message":"models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.","status":"NOT_FOUND"}}"#,
            Blame::Model,
            true,
        ),
        (
            404,
            r#"{"error":{"message":"This model gemini-1 is no longer available to new users."}}"#,
            Blame::Model,
            true,
        ),
    ]);
}

#[test]
fn the_model_that_a_key_has_not_is_read_from_googles_words() {
    let model = |message: &str| answered(404, &format!(r#"{{"error":{{"message":"{message}"}}}}"#)).model;
    let found = model("models/gemini-2.5-pro is not found for API version v1");
    assert_eq!(found.as_deref(), Some("gemini-2.5-pro"));
    assert_eq!(model("This model models/gemini-1_a.").as_deref(), Some("gemini-1_a"));
    assert_eq!(model("models/ is not found for API version v1"), None);
    assert_eq!(model("The model is no longer available"), None);
}

#[test]
fn a_location_that_is_not_served_is_the_egress_addresss() {
    let body = r#"{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}"#;
    check(&[(400, body, Blame::Proxy, true)]);
    assert!(answered(400, body).reason.contains("location"));
    check(&[(
        400,
        r#"{"error":{"message":"Bad text: User location is not supported"}}"#,
        Blame::Caller,
        false,
    )]);
}

#[test]
fn what_the_upstream_fails_at_is_told_by_its_kind() {
    check(&[
        // A model under load is nobody's fault.
        (
            503,
            r#"{"error":{"status":"UNAVAILABLE","message":"The model is overloaded."}}"#,
            Blame::Upstream,
            true,
        ),
        (503, "<html>busy</html>", Blame::Upstream, true),
        // These may be the key's, when others are served meanwhile.
        (
            500,
            r#"{"error":{"status":"INTERNAL","message":"An internal error has occurred."}}"#,
            Blame::KeyOrUpstream,
            true,
        ),
        (502, "<html>502</html>", Blame::KeyOrUpstream, true),
        (504, r#"{"error":{"status":"DEADLINE_EXCEEDED"}}"#, Blame::KeyOrUpstream, true),
        (402, "", Blame::KeyOrUpstream, true),
        (
            403,
            r#"{"error":{"status":"PERMISSION_DENIED","message":"The caller does not have permission"}}"#,
            Blame::KeyOrUpstream,
            true,
        ),
        (403, "<html>403. Forbidden.</html>", Blame::KeyOrUpstream, true),
        (408, "", Blame::KeyOrUpstream, true),
        (418, "", Blame::KeyOrUpstream, true),
    ]);
}

#[test]
fn a_quota_is_a_quota_in_every_shape() {
    check(&[
        (429, r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#, Blame::Quota, true),
        (429, "", Blame::Quota, true),
        (429, "<html>Too many requests</html>", Blame::Quota, true),
        (429, r#"{"error":{"code":429,"mess"#, Blame::Quota, true),
        (429, r#"[{"error":{"code":429}}]"#, Blame::Quota, true),
    ]);
}

#[test]
fn reasons_carry_googles_name_or_the_bare_status() {
    assert_eq!(answered(500, r#"{"error":{"status":"INTERNAL"}}"#).reason, "INTERNAL");
    assert_eq!(answered(500, "<html>").reason, "HTTP 500");
    assert_eq!(
        answered(
            403,
            r#"{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#
        )
        .reason,
        "PERMISSION_DENIED"
    );
    assert_eq!(answered(400, r#"{"error":{"message":"API key expired."}}"#).reason, "API key expired.");
}

#[test]
fn the_project_is_learned_wherever_google_names_it() {
    let suspended = r#"{"error":{"message":"x","details":[{"reason":"CONSUMER_SUSPENDED","metadata":{"consumer":"projects/7"}}]}}"#;
    assert_eq!(answered(403, suspended).project.as_deref(), Some("projects/7"));
    let quota = r#"{"error":{"details":[{"metadata":{"consumer":"projects/8"}}]}}"#;
    assert_eq!(answered(429, quota).project.as_deref(), Some("projects/8"));
    assert_eq!(answered(429, "").project, None);
}

fn rests_of(body: &str) -> Vec<RestLength> {
    answered(429, body).rests.into_iter().map(|rest| rest.length).collect()
}

fn named(seconds: u64) -> RestLength {
    RestLength::Named(Duration::from_secs(seconds))
}

#[test]
fn a_quota_rests_as_long_as_the_upstream_says() {
    assert_eq!(rests_of(r#"{"error":{"details":[{"retryDelay":"47s"}]}}"#), [named(47)]);
    assert_eq!(rests_of(r#"{"error":{"details":[{"retry_delay":{"seconds":9}}]}}"#), [named(9)]);
    assert_eq!(rests_of(r#"{"error":{"message":"Quota exceeded. Please retry in 12s."}}"#), [named(12)]);
    assert_eq!(rests_of(""), [RestLength::Unnamed]);
    let after = |error: Option<UpstreamError>| {
        let retry_after = Some(Duration::from_secs(9));
        judge(&Outcome::Answered { status: 429, error: error.map(Box::new), retry_after }).rests
    };
    assert_eq!(after(None)[0].length, named(9));
    let says_more = UpstreamError { retry_delay: Some(Duration::from_secs(30)), ..UpstreamError::default() };
    assert_eq!(after(Some(says_more))[0].length, named(30), "the body wins over the header");
}

#[test]
fn several_violations_rest_each_on_its_own_and_a_daily_one_wins_over_the_short_delay() {
    let body = r#"{"error":{"details":[
        {"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier","quotaDimensions":{"model":"flash"},"quotaValue":"50"},
                       {"quota_id":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier","quota_value":"5"}]},
        {"retryDelay":"37s"}]}}"#;
    let rest = |quota: &str, model: Option<&str>, length| Rest {
        quota: quota.to_owned(),
        model: model.map(str::to_owned),
        length,
    };
    let expected = [
        rest("GenerateRequestsPerDayPerProjectPerModel-FreeTier", Some("flash"), RestLength::UntilDailyReset),
        rest("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", None, named(37)),
    ];
    assert_eq!(answered(429, body).rests, expected);
    let words = r#"{"error":{"message":"You exceeded 50 requests per day. Please retry in 37s."}}"#;
    assert_eq!(rests_of(words), [RestLength::UntilDailyReset]);
}

#[test]
fn a_limit_of_zero_means_that_there_is_no_quota() {
    let body = r#"{"error":{"details":[{"violations":[{"quotaId":"PerMinute","quotaValue":"0"}]}]}}"#;
    assert_eq!(rests_of(body), [RestLength::NoQuota]);
    let daily = r#"{"error":{"details":[{"violations":[{"quotaId":"PerDay","quotaValue":0}]}]}}"#;
    assert_eq!(rests_of(daily), [RestLength::NoQuota]);
    for words in
        ["Quota exceeded, limit: 0, model: gemini-pro", "Quota exceeded, limit: 0\\nPlease retry in 3s"]
    {
        assert_eq!(
            rests_of(&format!(r#"{{"error":{{"message":"{words}"}}}}"#)),
            [RestLength::NoQuota],
            "{words}"
        );
    }
    let other = r#"{"error":{"message":"Quota exceeded, limit: 05, model: gemini-pro"}}"#;
    assert_eq!(rests_of(other), [RestLength::Unnamed]);
}

#[test]
fn a_wait_that_a_failing_upstream_asks_for_is_handed_on() {
    let pause = |status| {
        judge(&Outcome::Answered { status, error: None, retry_after: Some(Duration::from_secs(3)) }).pause
    };
    assert_eq!(pause(503), Some(Duration::from_secs(3)));
    assert_eq!(pause(500), Some(Duration::from_secs(3)));
    assert_eq!(pause(400), None);
}

#[test]
fn an_error_inside_a_stream_blames_the_same_but_is_not_retried() {
    let inside = |error: UpstreamError| {
        let verdict = judge(&Outcome::StreamError(Box::new(error)));
        assert!(!verdict.retry);
        (verdict.blame, verdict.rests.len())
    };
    assert_eq!(inside(UpstreamError { code: Some(429), ..UpstreamError::default() }), (Blame::Quota, 1));
    let of = |status: &str, message: &str| UpstreamError {
        status: status.to_owned(),
        message: message.to_owned(),
        ..UpstreamError::default()
    };
    assert_eq!(inside(of("UNAVAILABLE", "overloaded")), (Blame::Upstream, 0));
    assert_eq!(inside(of("INVALID_ARGUMENT", "API key not valid.")), (Blame::Key, 0));
    assert_eq!(inside(of("", "")), (Blame::KeyOrUpstream, 0));
}

#[test]
fn without_an_answer_the_way_it_failed_decides() {
    let blame = |outcome: Outcome| {
        let verdict = judge(&outcome);
        assert!(!verdict.reason.is_empty());
        (verdict.blame, verdict.retry)
    };
    assert_eq!(blame(Outcome::Proxy(ProxyFault::Refused)), (Blame::Proxy, true));
    let doubtful = ProxyFault::ConnectStatus { status: 502 };
    assert_eq!(blame(Outcome::Proxy(doubtful)), (Blame::ProxyOrUpstream, true));
    assert_eq!(blame(Outcome::Unreachable("no route".to_owned())), (Blame::Upstream, true));
    assert_eq!(blame(Outcome::Interrupted("cut".to_owned())), (Blame::Upstream, true));
    assert_eq!(blame(Outcome::TimedOut), (Blame::KeyOrUpstream, true));
    assert_eq!(blame(Outcome::CallerGone), (Blame::Caller, false));
    assert_eq!(blame(Outcome::BodyTooLarge), (Blame::Caller, false));
}

#[test]
fn only_an_answer_proves_that_the_proxy_did_its_part() {
    let reached = |outcome: Outcome| outcome.reached_upstream();
    assert!(reached(Outcome::Answered { status: 500, error: None, retry_after: None }));
    assert!(reached(Outcome::StreamError(Box::default())));
    assert!(!reached(Outcome::TimedOut) && !reached(Outcome::CallerGone));
    assert!(!reached(Outcome::Interrupted(String::new())));
}

#[test]
fn a_clients_body_that_broke_off_is_the_callers() {
    assert!(matches!(Outcome::from(BodyFault::TooLarge), Outcome::BodyTooLarge));
    assert!(matches!(Outcome::from(BodyFault::CallerGone), Outcome::CallerGone));
    assert!(matches!(Outcome::from(BodyFault::Superseded), Outcome::CallerGone));
}
