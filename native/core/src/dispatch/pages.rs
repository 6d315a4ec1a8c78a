//! Pages of a list that several projects answer together: what is asked of each, what of each answer counts, and the
//! page token of this endpoint, which says where the next page begins. Pure; the asking is done elsewhere, and the
//! members of a list pass as they came.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::KeyId;

const VERSION: u8 = 1;
const NEXT: &str = "nextPageToken";

/// Where a page begins: with this key's project, there at Google's own token. Given to clients as text they pass back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageToken {
    v: u8,
    #[serde(rename = "k")]
    pub key: KeyId,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub google: Option<String>,
    /// Keys that earlier pages had to do without.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<KeyId>,
}

impl PageToken {
    pub fn new(key: KeyId, google: Option<String>, skipped: Vec<KeyId>) -> Self {
        Self { v: VERSION, key, google, skipped }
    }

    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` for what this endpoint never gave.
    pub fn decode(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        serde_json::from_slice::<Self>(&json).ok().filter(|token| token.v == VERSION)
    }
}

/// What the client asked for: path, page size and token, and the rest of the query as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    path: String,
    others: String,
    /// As written; Google judges what is no number.
    page_size: Option<String>,
    pub page_token: Option<String>,
}

impl Question {
    /// `target` without credentials.
    pub fn of(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut question =
            Self { path: path.to_owned(), others: String::new(), page_size: None, page_token: None };
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let parsed = url::form_urlencoded::parse(part.as_bytes()).next();
            let (name, value) = parsed.unwrap_or_default();
            let value = Some(value.into_owned()).filter(|value| !value.is_empty());
            match name.as_ref() {
                "pageSize" | "page_size" => question.page_size = value,
                "pageToken" | "page_token" => question.page_token = value,
                _ => {
                    question.others.push('&');
                    question.others.push_str(part);
                }
            }
        }
        question
    }

    /// How many members the answer may have at most; `None` when each project gives as many as it likes.
    pub fn most(&self) -> Option<usize> {
        self.page_size.as_ref()?.parse().ok().filter(|most| *most > 0)
    }

    /// Path and query for one project that has `room` left and goes on at `google`.
    pub fn target(&self, room: Option<usize>, google: Option<&str>) -> String {
        let mut query = String::new();
        let mut add = |name: &str, value: &str| {
            let value = url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
            query.push_str(&format!("&{name}={value}"));
        };
        match (room, &self.page_size) {
            (Some(room), _) => add("pageSize", &room.to_string()),
            (None, Some(written)) => add("pageSize", written),
            (None, None) => {}
        }
        if let Some(token) = google {
            add("pageToken", token);
        }
        query.push_str(&self.others);
        match query.strip_prefix('&') {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// One project's page, or several merged.
#[derive(Debug, Default)]
pub struct Page {
    /// The lists in it by their field, one in all answers seen.
    lists: BTreeMap<String, Vec<Box<RawValue>>>,
    others: BTreeMap<String, Box<RawValue>>,
    /// Google's token for what comes after it.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Member<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

impl Page {
    pub fn parse(json: &[u8]) -> Option<Self> {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(json).ok()?;
        let mut page = Self::default();
        for (field, value) in fields {
            if field == NEXT {
                page.next = serde_json::from_str(value.get()).ok().filter(|token: &String| !token.is_empty());
            } else if value.get().starts_with('[') {
                page.lists.insert(field, serde_json::from_str(value.get()).ok()?);
            } else {
                page.others.insert(field, value);
            }
        }
        Some(page)
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.lists.values().map(Vec::len).sum()
    }

    pub fn bytes(&self) -> usize {
        self.members().map(str::len).sum()
    }

    /// Keeps the members whose name `kept` allows, and those without a name.
    pub fn retain(&mut self, kept: impl Fn(&str) -> bool) {
        for members in self.lists.values_mut() {
            members.retain(|member| {
                let read = serde_json::from_str::<Member<'_>>(member.get());
                read.ok().and_then(|member| member.name).is_none_or(|name| kept(&name))
            });
        }
    }

    /// The text of every member.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.lists.values().flatten().map(|member| member.get())
    }

    pub fn append(&mut self, more: Self) {
        for (field, members) in more.lists {
            self.lists.entry(field).or_default().extend(members);
        }
        for (field, value) in more.others {
            self.others.entry(field).or_insert(value);
        }
    }

    pub fn to_json(&self, next: Option<&PageToken>) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let lists = self.lists.iter().map(|(field, members)| {
            let members: Vec<&str> = members.iter().map(|member| member.get()).collect();
            format!("{}:[{}]", quoted(field), members.join(","))
        });
        let others = self.others.iter().map(|(field, value)| format!("{}:{}", quoted(field), value.get()));
        let next = next.map(|token| format!("{}:{}", quoted(NEXT), quoted(&token.encode())));
        format!("{{{}}}", lists.chain(others).chain(next).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_given_and_nothing_else_is_one() {
        let token = PageToken::new("k2".into(), Some("Google's/+=".to_owned()), vec!["k1".into()]);
        let text = token.encode();
        assert!(
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
            "{text}"
        );
        assert_eq!(PageToken::decode(&text), Some(token));
        let other_version = URL_SAFE_NO_PAD.encode(r#"{"v":2,"k":"k1"}"#);
        for foreign in ["", "Cg0KC2ZpbGVz", "not base64!", &text[1..], &other_version] {
            assert_eq!(PageToken::decode(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn each_project_is_asked_for_what_there_is_room_for_and_the_rest_of_the_query_stays() {
        let question = Question::of("/v1/files?filter=a%20b&pageSize=10&pageToken=x&$alt=json");
        assert_eq!((question.most(), question.page_token.as_deref()), (Some(10), Some("x")));
        assert_eq!(
            question.target(Some(4), Some("G/=")),
            "/v1/files?pageSize=4&pageToken=G%2F%3D&filter=a%20b&$alt=json"
        );
        assert_eq!(Question::of("/v1/files").target(None, None), "/v1/files");
        let odd = Question::of("/v1/files?page_size=many");
        assert_eq!((odd.most(), odd.target(None, None).as_str()), (None, "/v1/files?pageSize=many"));
    }

    #[test]
    fn members_pass_as_they_came_and_only_those_kept() {
        let first = br#"{"files":[{"name":"files/a","n":1.0e2,"uri":"\u0041"},{"name":"files/b"}],"nextPageToken":"G"}"#;
        let mut page = Page::parse(first).unwrap();
        assert_eq!((page.len(), page.next.as_deref()), (2, Some("G")));
        page.retain(|name| name != "files/b");
        page.append(Page::parse(br#"{"files":[{"name":"files/c"}],"kind":"x"}"#).unwrap());
        let merged =
            r#"{"files":[{"name":"files/a","n":1.0e2,"uri":"\u0041"},{"name":"files/c"}],"kind":"x"}"#;
        assert_eq!(page.to_json(None), merged);
        assert_eq!(Page::parse(b"{}").unwrap().to_json(None), "{}");
        assert!(Page::parse(b"[]").is_none() && Page::parse(b"<html>").is_none());
    }
}
