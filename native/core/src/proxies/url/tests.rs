//! What a user may write as a proxy URL, what is refused with which words, and what may be shown of it.
//! It knows the module's public surface only.

use std::collections::HashSet;

use super::*;

fn parse(input: &str) -> ProxyUrl {
    ProxyUrl::parse(input).unwrap_or_else(|error| panic!("{input}: {error}"))
}

fn secret(url: &ProxyUrl) -> String {
    url.to_secret_string().expose_secret().to_owned()
}

#[test]
fn every_scheme_parses_and_is_written_in_normal_form() {
    for (input, normal) in [
        ("http://proxy.example", "http://proxy.example:80"),
        ("https://proxy.example", "https://proxy.example:443"),
        ("socks://proxy.example", "socks5://proxy.example:1080"),
        ("socks4://proxy.example", "socks4://proxy.example:1080"),
        ("socks4a://proxy.example", "socks4a://proxy.example:1080"),
        ("socks5://proxy.example", "socks5://proxy.example:1080"),
        ("socks5h://proxy.example", "socks5h://proxy.example:1080"),
        ("HTTP://Proxy.Example:3128/", "http://proxy.example:3128"),
        ("http://my_proxy:3128", "http://my_proxy:3128"),
        ("http://bücher.example:3128", "http://xn--bcher-kva.example:3128"),
        ("socks5://127.0.0.1:1", "socks5://127.0.0.1:1"),
        ("socks5://[::1]:65535", "socks5://[::1]:65535"),
        ("socks5://[2001:DB8::0:1]", "socks5://[2001:db8::1]:1080"),
        ("socks4://user-id@10.0.0.1:1080", "socks4://user-id@10.0.0.1:1080"),
        ("socks4a://user-id:@10.0.0.1", "socks4a://user-id@10.0.0.1:1080"),
        ("http://token@proxy.example:1", "http://token@proxy.example:1"),
        ("http://@proxy.example:1", "http://proxy.example:1"),
        ("http://u:p:q@proxy.example:1", "http://u:p%3Aq@proxy.example:1"),
        ("http://u:p@q@proxy.example:1", "http://u:p%40q@proxy.example:1"),
        ("socks5://%c3%bc:p%2Fw%20@h:1", "socks5://%C3%BC:p%2Fw%20@h:1"),
    ] {
        let url = parse(input);
        assert_eq!(secret(&url), normal, "{input}");
        assert_eq!(parse(&secret(&url)), url, "{input} does not survive the vault");
    }
}

#[test]
fn the_parts_are_decoded() {
    let url = parse("socks5h://us%40er:p%3Aa%25ss@[::1]:9050");
    assert_eq!(url.scheme(), ProxyScheme::Socks5h);
    assert_eq!((url.host(), url.port()), ("::1", 9050));
    assert_eq!(url.username(), Some("us@er"));
    assert_eq!(url.password().map(|p| p.expose_secret()), Some("p:a%ss"));
}

#[test]
fn what_is_no_proxy_url_is_refused_for_its_own_reason() {
    use ProxyUrlError::*;
    let long_id = format!("socks4://{}@h:1", "u".repeat(201));
    let long_password = format!("socks5://u:{}@h:1", "p".repeat(256));
    let long_url = format!("http://{}@h:1", "u".repeat(MAX_URL_BYTES));
    let long_label = format!("http://{}:1", "a".repeat(64));
    for (input, error) in [
        ("", Empty),
        (long_url.as_str(), TooLong),
        (" http://h:1", ForbiddenCharacter),
        ("http://h:1\n", ForbiddenCharacter),
        ("http://h\\evil:1", ForbiddenCharacter),
        ("http://u:p\u{7f}@h:1", ForbiddenCharacter),
        ("h:1", MissingScheme),
        ("u:p@h:1", MissingScheme),
        ("://h:1", MissingScheme),
        ("u:p://x@h:1", MissingScheme),
        ("ftp://h:1", UnknownScheme("ftp".into())),
        ("socks6://h:1", UnknownScheme("socks6".into())),
        ("http://", MissingHost),
        ("http://u:p@", MissingHost),
        ("http://:3128", MissingHost),
        ("http://h st:1", ForbiddenCharacter),
        ("http://h,i:1", InvalidHost),
        ("http://h..i:1", InvalidHost),
        ("http://h%20i:1", InvalidHost),
        ("http://10.1:1", InvalidHost),
        ("http://0x7f.0.0.1:1", InvalidHost),
        ("http://[::1:1", InvalidHost),
        ("http://[fe80::1%25eth0]:1", InvalidHost),
        (long_label.as_str(), InvalidHost),
        ("http://h:", InvalidPort),
        ("http://h:0", InvalidPort),
        ("http://h:65536", InvalidPort),
        ("http://h:+80", InvalidPort),
        ("http://h:80a", InvalidPort),
        ("http://fe80::1", InvalidPort),
        ("http://h:1/path", UnexpectedPath),
        ("http://h:1?q", UnexpectedPath),
        ("http://h:1/#f", UnexpectedPath),
        ("http://u:100%@h:1", InvalidCredentials),
        ("http://u:%zz@h:1", InvalidCredentials),
        ("http://u:%ff@h:1", InvalidCredentials),
        ("http://u:p%0d%0aX@h:1", InvalidCredentials),
        ("socks4://u%00@h:1", InvalidCredentials),
        ("http://:p@h:1", MissingUsername),
        ("socks5://:p@h:1", MissingUsername),
        ("http://u%3Av:p@h:1", ColonInUsername),
        ("socks4://u:p@h:1", Socks4Password),
        ("socks4a://:p@h:1", Socks4Password),
        (long_id.as_str(), Socks4UserIdTooLong),
        ("socks5://u@h:1", Socks5NeedsBoth),
        ("socks5h://u:@h:1", Socks5NeedsBoth),
        (long_password.as_str(), Socks5CredentialTooLong),
    ] {
        assert_eq!(ProxyUrl::parse(input).err(), Some(error), "{input:?}");
    }
}

#[test]
fn no_error_repeats_credentials() {
    for input in [
        "alice:canary@h:1",
        "alice:canary://h:1",
        "canary canary://alice:canary@h:1",
        "ftp://alice:canary@h:1",
        "http://alice:canary/x@h:1",
        "http://alice:canary@h,i:1",
        "http://alice:canary@h:99999",
        "http://alice:canary@h:1/path",
        "http://alice:canary%@h:1",
        "http://:canary@h:1",
        "http://ali%3Ace:canary@h:1",
        "socks4://alice:canary@h:1",
    ] {
        let error = ProxyUrl::parse(input).expect_err(input);
        for words in [error.to_string(), format!("{error:?}")] {
            assert!(!words.contains("canary") && !words.contains("alice"), "{input}: {words}");
        }
        assert!(error.to_string().ends_with('.'), "not a sentence: {error}");
    }
}

#[test]
fn shown_forms_are_masked() {
    for (input, shown) in [
        ("socks5://user:canary@h:1080", "socks5://user:••••@h:1080"),
        ("https://us%40er:canary@[::1]", "https://us%40er:••••@[::1]:443"),
        ("http://canary@h:1", "http://••••@h:1"),
        ("socks4://user@h:1", "socks4://user@h:1"),
        ("http://h:1", "http://h:1"),
    ] {
        let url = parse(input);
        assert_eq!(url.masked(), shown);
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("ProxyUrl({shown})"));
        assert!(!format!("{:?}", url.to_secret_string()).contains("canary"));
    }
}

#[test]
fn duplicates_are_found_whatever_the_spelling() {
    let one = parse("socks://User:pa%73s@Proxy.Example");
    let same = parse("socks5://User:pass@proxy.example:1080/");
    assert!(one.same_proxy(&same));
    assert_eq!(HashSet::from([one.clone(), same]).len(), 1);
    for other in [
        "socks5h://User:pass@proxy.example:1080",
        "socks5://user:pass@proxy.example:1080",
        "socks5://User:Pass@proxy.example:1080",
        "socks5://proxy.example:1080",
        "socks5://User:pass@proxy.example:1081",
    ] {
        assert!(!one.same_proxy(&parse(other)), "{other}");
    }
}

#[test]
fn only_https_hides_credentials_on_the_way() {
    for (input, clear) in [
        ("http://u:p@h", true),
        ("socks4://u@h", true),
        ("socks5h://u:p@h", true),
        ("https://u:p@h", false),
        ("http://h", false),
    ] {
        assert_eq!(parse(input).sends_credentials_in_clear(), clear, "{input}");
    }
}
