use super::*;

/// What serde_json makes of the same text.
fn value_of(node: &Node<'_>) -> serde_json::Value {
    match &node.kind {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(value) => (*value).into(),
        Kind::Number => serde_json::from_str(node.raw).unwrap(),
        Kind::Text(literal) => literal.decode().into_owned().into(),
        Kind::List(items) => items.iter().map(value_of).collect(),
        Kind::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone().into_owned(), value_of(value))).collect()
        }
    }
}

#[test]
fn every_value_keeps_its_own_text() {
    let node = Node::parse(" { \"a\" : [ 1.0 , \"x\\ny\" ] , \"b\" : { } } ").unwrap();
    assert_eq!(node.raw, "{ \"a\" : [ 1.0 , \"x\\ny\" ] , \"b\" : { } }");
    let list = node.get("a").unwrap();
    assert_eq!(list.raw, "[ 1.0 , \"x\\ny\" ]");
    let items = list.as_list().unwrap();
    assert_eq!((items[0].raw, items[0].as_i64()), ("1.0", Some(1)));
    assert_eq!((items[1].raw, items[1].as_str().unwrap().as_ref()), ("\"x\\ny\"", "x\ny"));
    assert_eq!(node.get("b").unwrap().raw, "{ }");
}

#[test]
fn half_a_surrogate_pair_is_found_and_replaced() {
    for (text, decoded, broken) in [
        (r#""\ud83d\ude00""#, "😀", false),
        (r#""a\ud83d""#, "a\u{fffd}", true),
        (r#""\ude00b""#, "\u{fffd}b", true),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀", true),
        (r#""\ud83dxx\u0041""#, "\u{fffd}xxA", true),
    ] {
        let Kind::Text(literal) = Node::parse(text).unwrap().kind else { panic!("{text}") };
        assert_eq!((literal.decode().as_ref(), literal.is_broken()), (decoded, broken), "{text}");
    }
}

#[test]
fn whole_numbers_are_whole_however_they_are_written() {
    for (text, whole) in [
        ("3", Some(3)),
        ("3.0", Some(3)),
        ("3e2", Some(300)),
        ("-0", Some(0)),
        ("3.5", None),
        ("9223372036854775807", Some(i64::MAX)),
        ("1e300", None),
        ("\"3\"", None),
    ] {
        assert_eq!(Node::parse(text).unwrap().as_i64(), whole, "{text}");
    }
    assert_eq!(Node::parse("1e999").unwrap().as_f64(), None);
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Node::parse(&nested(DEEPEST)).is_ok());
    assert_eq!(Node::parse(&nested(DEEPEST + 1)).unwrap_err().what, "values lie too deep in each other");
    assert!(Node::parse(&nested(1_000_000)).is_err());
    let many = format!("[{}0]", "0,".repeat(MOST_VALUES));
    assert_eq!(Node::parse(&many).unwrap_err().what, "there are more than a million values");
}

/// Cuts, flips and joins of JSON texts: read here exactly when serde_json reads them, and as the same value.
#[test]
fn agrees_with_serde_json_on_damaged_texts() {
    let seeds = [
        r#"{"a":[1,-2.5e+3,true,false,null,""],"b\u00e9\n":{"c":"\"\\\/"},"😀":"é"}"#,
        r#"[[],{},[{}],"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",0,-0.0]"#,
        " {\t\"x\" :\r\n 10 , \"y\":[ ] } ",
    ];
    let alphabet: Vec<char> = "{}[]\",:\\ntrufalse0123456789.-+eE \t\u{1}é".chars().collect();
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut text: Vec<char> = seeds[rng.usize(..seeds.len())].chars().collect();
        for _ in 0..rng.usize(..4) {
            let at = rng.usize(..text.len());
            match rng.u8(..3) {
                0 => text[at] = alphabet[rng.usize(..alphabet.len())],
                1 => drop(text.remove(at)),
                _ => text.insert(at, alphabet[rng.usize(..alphabet.len())]),
            }
        }
        let text: String = text.into_iter().collect();
        let ours = Node::parse(&text);
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(value) => assert_eq!(value_of(&ours.unwrap()), value, "{text}"),
            Err(error) => assert!(ours.is_err(), "{text}: {error}"),
        }
    }
}
