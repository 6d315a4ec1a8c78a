//! Schemas.
use crate::dialect::json::Node;
use crate::generate::request::{Json, Schema};

#[derive(Default)]
pub struct Budget {}

pub fn for_function<'a>(node: &Node<'a>, _budget: &mut Budget) -> Option<Schema<'a>> {
    Some(Schema::JsonSchema(Json::from(node.raw)))
}

pub fn for_answer<'a>(node: &Node<'a>, _budget: &mut Budget) -> Option<Schema<'a>> {
    Some(Schema::JsonSchema(Json::from(node.raw)))
}
