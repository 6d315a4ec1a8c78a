//! Each form of a list, what is left out of it, and that nothing that may be a key is said aloud.

use super::*;

const LONG: &str = "test-key-of-the-length-that-google-gives";

fn read(text: &str) -> Vec<(u32, String)> {
    rows(text).unwrap().into_iter().map(|row| (row.line, shown(row.entry))).collect()
}

/// `name: key / project`, `skipped`, `refused`.
fn shown(entry: Entry) -> String {
    match entry {
        Entry::Skipped(_) => "skipped".to_owned(),
        Entry::Refused(_) => "refused".to_owned(),
        Entry::Key(text) => {
            let name = text.name.map(|name| format!("{name}: ")).unwrap_or_default();
            let project = text.project.map(|project| format!(" / {project}")).unwrap_or_default();
            format!("{name}{}{project}", text.key)
        }
    }
}

fn is(text: &str, expected: &[(u32, &str)]) {
    let read = read(text);
    let read: Vec<(u32, &str)> = read.iter().map(|(line, shown)| (*line, shown.as_str())).collect();
    assert_eq!(read, expected, "{text}");
}

#[test]
fn one_key_to_a_line_with_names_and_comments() {
    is(
        "\u{feff}# mine\r\ntest-key-0001\r\n\r\nwork test-key-0002 # good\nhome: test-key-0003\nat lake=test-key-0004",
        &[
            (2, "test-key-0001"),
            (4, "work: test-key-0002"),
            (5, "home: test-key-0003"),
            (6, "at lake: test-key-0004"),
        ],
    );
    is("\n# nothing\n", &[]);
}

#[test]
fn csv_with_a_header_takes_its_columns_in_any_order() {
    let text = "Project ID;API key;label;weight;note\np-1;test-key-0001;\"work; old\";2;x\n;test-key-0002;;;\n;test-key-0003;c;two;";
    is(text, &[(2, "work; old: test-key-0001 / p-1"), (3, "test-key-0002"), (4, "refused")]);
    let Entry::Key(text) = rows(text).unwrap().remove(0).entry else { panic!() };
    assert_eq!(text.weight, Some(2));
}

#[test]
fn csv_without_a_header_is_name_key_project_or_the_long_one_first() {
    is("work,test-key-0001,p-1\n,test-key-0002,", &[(1, "work: test-key-0001 / p-1"), (2, "test-key-0002")]);
    is(&format!("{LONG}\twork\tp-1"), &[(1, &format!("work: {LONG} / p-1"))]);
    is(&format!("{LONG},{LONG}"), &[(1, LONG), (1, LONG)]);
}

#[test]
fn of_an_env_file_only_what_is_geminis_is_taken() {
    is(
        "PORT=3000\nexport GEMINI_API_KEY_WORK=\"test-key-0001\"\nGEMINI_API_KEY=test-key-0002\nGEMINI_API_KEY_2=test-key-0003\n\
         SIDE_GOOGLE_API_KEY='test-key-0004'\nGEMINI_API_KEYS=test-key-0005,test-key-0006\n\
         DATABASE_URL=postgres://u:p@h/d\nGOOGLE_GEMINI_BASE_URL=http://h\nGEMINI_API_KEY_OLD=",
        &[
            (1, "skipped"),
            (2, "work: test-key-0001"),
            (3, "test-key-0002"),
            (4, "test-key-0003"),
            (5, "side: test-key-0004"),
            (6, "test-key-0005"),
            (6, "test-key-0006"),
            (7, "skipped"),
            (8, "skipped"),
            (9, "skipped"),
        ],
    );
    is("WORK=test-key-0001\nPORT=3000", &[(1, "work: test-key-0001"), (2, "refused")]);
    is("OPENAI_API_KEY=test-key-0001", &[(1, "skipped")]);
}

#[test]
fn yaml_and_json_of_the_headless_program() {
    is(
        "# mine\nserver:\n  port: 1\nkeys:\n  - { name: a, key: \"test-key-0001\", project: p }\n  - name: b\n    key: test-key-0002\n    weight: 2\n  - key: test-key-0003\n    wieght: 2\n  - test-key-0004\n",
        &[(5, "a: test-key-0001 / p"), (6, "b: test-key-0002"), (9, "refused"), (11, "test-key-0004")],
    );
    is("- key: test-key-0001\n  enabled: false", &[(1, "test-key-0001")]);
    is("{\n\t\"keys\": [\n\t\t{\"key\": \"test-key-0001\", \"name\": \"a\"}]\n}", &[(3, "a: test-key-0001")]);
    is("[\"test-key-0001\", 7]", &[(1, "test-key-0001"), (1, "refused")]);
    let Err(error) = rows("keys:\n  - key: 'test-key-0001") else { panic!() };
    assert!(
        error.to_string().contains("cannot be read from line") && !error.to_string().contains("test-key")
    );
}

#[test]
fn what_cannot_be_a_key_is_refused_and_never_quoted() {
    let doubtful = [
        "http://127.0.0.1:8080".to_owned(),
        "word".to_owned(),
        format!("{LONG} {LONG}-2"),
        format!("{LONG},work,{LONG}-2"),
        format!("{LONG},{LONG}-2,work"),
    ];
    for text in doubtful {
        let row = rows(&text).unwrap().remove(0);
        let Entry::Refused(message) = row.entry else { panic!("{text}: {row:?}") };
        assert!(!message.contains("test-key") && !message.contains("127.0"), "{message}");
    }
}
