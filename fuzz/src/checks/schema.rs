//! The reducer of schemas: it ends, what comes out is JSON within the budget, and stays what it is when reduced again.

use aggregator_core::dialect::json::Node;
use aggregator_core::dialect::openai::schema::{Budget, for_answer, for_function};
use aggregator_core::generate::request::Schema;
use serde_json::Value;

type Reduce = for<'a> fn(&Node<'a>, &mut Budget) -> Option<Schema<'a>>;

/// The budget, and what punctuation adds to it.
const LONGEST: usize = 4 * 1024 * 1024;
/// A longer one may have been cut off by the budget, which a second reduction spends otherwise.
const SURELY_WHOLE: usize = 512 * 1024;

pub fn schema(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for reduce in [for_function as Reduce, for_answer] {
        let Some(once) = reduced(text, reduce) else { continue };
        assert!(once.len() <= LONGEST, "{} bytes", once.len());
        assert!(serde_json::from_str::<Value>(&once).is_ok_and(|schema| schema.is_object()), "{once}");
        if once.len() <= SURELY_WHOLE {
            assert_eq!(reduced(&once, reduce).as_ref(), Some(&once), "reduced again");
        }
    }
}

fn reduced(text: &str, reduce: Reduce) -> Option<String> {
    let node = Node::parse(text).ok()?;
    let (Schema::JsonSchema(json) | Schema::OpenApi(json)) = reduce(&node, &mut Budget::default())?;
    Some(json.0.into_owned())
}
