//! What the fuzz targets share: the properties that hold for any input, and mutations that keep JSON whole. How inputs
//! are found is libFuzzer's business.

pub mod checks;
pub mod mutate;
