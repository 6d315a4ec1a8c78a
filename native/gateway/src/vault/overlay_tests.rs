//! The rule of the overlay, one sentence a test: each begins with a file that was in force, changes something beside it,
//! then changes the file or not. Every case is tried with what is in force and with what was kept and read again.

use super::*;
use crate::vault::form::{Text, live};
use aggregator_core::proxies::url::ProxyUrl;
use aggregator_core::secret::Secret;

fn key(name: &str, text: &str) -> EnteredKey {
    EnteredKey {
        id: name.into(),
        name: name.to_owned(),
        secret: Secret::new(text),
        project: None,
        weight: 1,
        cooldown_seconds: None,
        enabled: true,
    }
}

fn proxy(name: &str, url: &str) -> EnteredProxy {
    let url = Arc::new(ProxyUrl::parse(url).unwrap());
    EnteredProxy { id: name.into(), name: name.to_owned(), url, enabled: true }
}

fn by_hand(key: &str, proxy: &str) -> Assignment {
    Assignment {
        key_id: key.into(),
        proxy_id: Some(proxy.into()),
        assigned_at: 0,
        is_manual: true,
        home: None,
    }
}

fn file() -> Entered {
    Entered {
        keys: vec![key("a", "text-of-a"), key("b", "text-of-b")],
        proxies: vec![proxy("p", "http://u:secret@h:1"), proxy("q", "http://h:2")],
        assignments: vec![by_hand("a", "p")],
        rotating: None,
    }
}

/// `before` was in force as the file said it, `beside` was done to it, and the file says `after` now.
fn laid(before: &Entered, beside: impl Fn(&mut Entered), after: &Entered) -> Entered {
    let first = lay(&Base::default(), &Now::default(), before);
    let mut now = first.entered;
    beside(&mut now);
    let running = lay(&first.base, &live(&now), after).entered;
    let kept = Text::read(&Text::write(&first.base, &now)).unwrap();
    let restarted = lay(&kept.declared, &kept.now, after).entered;
    assert_eq!(running, restarted, "a reload and a restart come to the same");
    running
}

#[test]
fn nothing_beside_it_and_the_file_is_in_force() {
    assert_eq!(laid(&file(), |_| {}, &file()), file());
    let mut other = file();
    other.keys.remove(0);
    other.keys.push(key("c", "text-of-c"));
    other.assignments.clear();
    assert_eq!(laid(&file(), |_| {}, &other), other);
}

#[test]
fn what_was_done_beside_the_file_stays_while_the_file_says_the_same() {
    let done = laid(
        &file(),
        |now| {
            now.keys[0].enabled = false;
            now.keys[0].weight = 7;
            now.keys.remove(1);
            now.keys.push(key("added", "text-of-added"));
            now.proxies[1].enabled = false;
            now.assignments = vec![by_hand("a", "q")];
        },
        &file(),
    );
    let names: Vec<_> = done.keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["a", "added"]);
    assert_eq!((done.keys[0].enabled, done.keys[0].weight), (false, 7));
    assert_eq!(done.keys[1].secret, Secret::new("text-of-added"));
    assert!(!done.proxies[1].enabled);
    assert_eq!(done.assignments, [by_hand("a", "q")]);
}

#[test]
fn a_field_that_the_file_changed_is_the_files_and_the_others_stay_as_they_were_set() {
    let mut after = file();
    after.keys[0].weight = 3;
    let done = laid(&file(), |now| (now.keys[0].enabled, now.keys[0].weight) = (false, 7), &after);
    assert_eq!((done.keys[0].enabled, done.keys[0].weight), (false, 3));
}

#[test]
fn a_removed_entry_comes_back_when_the_file_changes_it_and_goes_when_the_file_forgets_it() {
    let remove = |now: &mut Entered| drop(now.keys.remove(1));
    let mut after = file();
    after.keys[1].weight = 3;
    assert_eq!(laid(&file(), remove, &after).keys.len(), 2);
    let mut gone = file();
    gone.keys.remove(0);
    let edit = |now: &mut Entered| now.keys[0].weight = 9;
    assert_eq!(laid(&file(), edit, &gone).keys, [key("b", "text-of-b")]);
}

#[test]
fn ids_stay_with_the_text_or_else_with_the_name() {
    let mut after = file();
    after.keys[0].name = "renamed".to_owned();
    after.keys[0].id = "renamed".into();
    after.keys[1].secret = Secret::new("another-text-of-b");
    after.keys.push(key("a", "somebody-new"));
    after.assignments = vec![by_hand("renamed", "p")];
    let done = laid(&file(), |_| {}, &after);
    let ids: Vec<_> = done.keys.iter().map(|key| (key.id.as_str(), key.name.as_str())).collect();
    assert_eq!(ids, [("a", "renamed"), ("b", "b"), ("a-2", "a")]);
    assert_eq!(done.keys[1].secret, Secret::new("another-text-of-b"));
    assert_eq!(done.assignments, [by_hand("a", "p")]);
}

#[test]
fn an_entry_that_the_file_declares_later_is_the_one_that_was_added() {
    let mut after = file();
    after.keys.push(EnteredKey { weight: 4, ..key("c", "text-of-added") });
    let done = laid(&file(), |now| now.keys.push(key("added", "text-of-added")), &after);
    assert_eq!(done.keys.len(), 3);
    assert_eq!(
        (done.keys[2].id.as_str(), done.keys[2].name.as_str(), done.keys[2].weight),
        ("added", "c", 4)
    );
}

#[test]
fn an_assignment_of_the_file_holds_when_it_is_new_and_frees_the_key_when_it_goes() {
    let mut after = file();
    after.assignments = vec![by_hand("a", "q")];
    assert_eq!(laid(&file(), |now| now.assignments.clear(), &after).assignments, [by_hand("a", "q")]);
    after.assignments.clear();
    let freed = laid(&file(), |_| {}, &after).assignments;
    assert_eq!(freed, [Assignment { is_manual: false, ..by_hand("a", "p") }]);
}

#[test]
fn what_is_kept_holds_no_secret_that_the_file_holds() {
    let first = lay(&Base::default(), &Now::default(), &file());
    let mut now = first.entered.clone();
    now.keys.push(key("added", "text-of-added"));
    let text = Text::write(&first.base, &now);
    assert!(!text.contains("text-of-a\"") && !text.contains("secret@"), "{text}");
    assert!(text.contains("text-of-added"));
    assert!(Text::read("{\"form\":2}").is_err_and(|why| why.contains("newer")));
    assert!(Text::read("{\"form\":1,\"declared").is_err());
}
