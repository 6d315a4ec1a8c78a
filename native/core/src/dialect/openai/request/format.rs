//! `response_format`: text, any JSON, or JSON after a schema.

use super::super::schema::{self, Budget};
use super::reading::{Object, RequestError};
use crate::generate::request::Format;

pub fn read<'a>(body: &Object<'_, '_, 'a>, budget: &mut Budget) -> Result<Format<'a>, RequestError> {
    let Some(format) = body.object("response_format")? else { return Ok(Format::Text) };
    let kind = format.required_literal("type")?.decode();
    match kind.as_ref() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json(None)),
        "json_schema" => {
            let described = Object::of(format.required("json_schema")?, format.place("json_schema"))?;
            match described.get("schema") {
                Some(schema) if schema.as_object().is_none() => {
                    Err(described.place("schema").must_be("a JSON Schema, which is an object"))
                }
                schema => Ok(Format::Json(schema.and_then(|schema| schema::for_answer(schema, budget)))),
            }
        }
        other => Err(format.place("type").error(format!(
            "`{other}` is no format that Gemini can give; there are text, json_object and json_schema."
        ))),
    }
}
