//! Writes a [`super::request::Generate`] as the JSON of Gemini's `v1beta` generateContent, in pieces: large media are
//! slices of the client's own body. It decides nothing.

use bytes::Bytes;

use super::pieces::Pieces;
use super::request::{
    Amount, Choice, Config, Data, Format, Function, Generate, Json, Output, Part, Role, Schema, Text,
    Thinking, Turn,
};

/// `source` is the body that the request's texts borrow from.
pub fn write(generate: &Generate<'_>, source: &Bytes) -> Vec<Bytes> {
    let mut out = Pieces::new(source);
    out.object(|out| {
        if let Some(name) = &generate.cached_content {
            out.key("cachedContent").text(name);
        }
        if !generate.system.is_empty() {
            out.key("systemInstruction").object(|out| parts(out, &generate.system));
        }
        out.key("contents").list(&generate.turns, turn);
        tools(out, generate);
        if let Some(choice) = &generate.choice {
            out.key("toolConfig")
                .object(|out| out.key("functionCallingConfig").object(|out| calling(out, choice)));
        }
        optional_json(out, "safetySettings", generate.safety.as_ref());
        if generate.config != Config::default() {
            out.key("generationConfig").object(|out| settings(out, &generate.config));
        }
    });
    out.finish()
}

fn turn(out: &mut Pieces<'_>, turn: &Turn<'_>) {
    out.object(|out| {
        out.key("role").str(match turn.role {
            Role::User => "user",
            Role::Model => "model",
        });
        parts(out, &turn.parts);
    });
}

fn parts(out: &mut Pieces<'_>, parts: &[Part<'_>]) {
    out.key("parts").list(parts, part);
}

fn part(out: &mut Pieces<'_>, part: &Part<'_>) {
    out.object(|out| {
        match &part.data {
            Data::Text(text) => out.key("text").text(text),
            Data::Inline { mime, base64 } => out.key("inlineData").object(|out| {
                out.key("mimeType").str(mime);
                out.key("data").text(base64);
            }),
            Data::File { uri, mime } => out.key("fileData").object(|out| {
                if let Some(mime) = mime {
                    out.key("mimeType").str(mime);
                }
                out.key("fileUri").text(uri);
            }),
            Data::Call { id, name, args } => out.key("functionCall").object(|out| {
                optional_text(out, "id", id.as_ref());
                out.key("name").text(name);
                out.key("args").json(&args.0);
            }),
            Data::Answer { id, name, output } => out.key("functionResponse").object(|out| {
                optional_text(out, "id", id.as_ref());
                out.key("name").text(name);
                match output {
                    Output::Object(json) => out.key("response").json(&json.0),
                    Output::Text(texts) => out.key("response").object(|out| out.key("output").texts(texts)),
                }
            }),
        }
        optional_text(out, "thoughtSignature", part.signature.as_ref());
    });
}

fn tools(out: &mut Pieces<'_>, generate: &Generate<'_>) {
    if generate.functions.is_empty() && generate.google_tools.is_empty() {
        return;
    }
    out.key("tools").array(|out| {
        if !generate.functions.is_empty() {
            out.object(|out| out.key("functionDeclarations").list(&generate.functions, function));
        }
        for tool in &generate.google_tools {
            out.json(&tool.0);
        }
    });
}

fn function(out: &mut Pieces<'_>, function: &Function<'_>) {
    out.object(|out| {
        out.key("name").text(&function.name);
        optional_text(out, "description", function.description.as_ref());
        match &function.parameters {
            Some(Schema::JsonSchema(schema)) => out.key("parametersJsonSchema").json(&schema.0),
            Some(Schema::OpenApi(schema)) => out.key("parameters").json(&schema.0),
            None => {}
        }
    });
}

fn calling(out: &mut Pieces<'_>, choice: &Choice<'_>) {
    let (mode, names): (_, &[Text<'_>]) = match choice {
        Choice::Auto => ("AUTO", &[]),
        Choice::Never => ("NONE", &[]),
        Choice::Must(names) => ("ANY", names),
    };
    out.key("mode").str(mode);
    if !names.is_empty() {
        out.key("allowedFunctionNames").list(names, |out, name| out.text(name));
    }
}

fn settings(out: &mut Pieces<'_>, config: &Config<'_>) {
    for (name, json) in [
        ("temperature", &config.temperature),
        ("topP", &config.top_p),
        ("topK", &config.top_k),
        ("presencePenalty", &config.presence_penalty),
        ("frequencyPenalty", &config.frequency_penalty),
    ] {
        optional_json(out, name, json.as_ref());
    }
    let top_logprobs = config.logprobs.and_then(|logprobs| logprobs.top);
    for (name, number) in [
        ("candidateCount", config.candidates),
        ("maxOutputTokens", config.max_tokens),
        ("seed", config.seed.map(i64::from)),
        ("logprobs", top_logprobs),
    ] {
        if let Some(number) = number {
            out.key(name).json(&number.to_string());
        }
    }
    if config.logprobs.is_some() {
        out.key("responseLogprobs").json("true");
    }
    if !config.stop.is_empty() {
        out.key("stopSequences").list(&config.stop, |out, text| out.text(text));
    }
    if let Some(thinking) = &config.thinking {
        out.key("thinkingConfig").object(|out| self::thinking(out, thinking));
    }
    if let Format::Json(schema) = &config.format {
        format(out, schema.as_ref());
    }
    media(out, config);
}

fn media(out: &mut Pieces<'_>, config: &Config<'_>) {
    if !config.modalities.is_empty() {
        out.key("responseModalities").list(config.modalities, |out, name| out.str(name));
    }
    if config.aspect_ratio.is_some() || config.image_size.is_some() {
        out.key("imageConfig").object(|out| {
            for (name, value) in [("aspectRatio", config.aspect_ratio), ("imageSize", config.image_size)] {
                if let Some(value) = value {
                    out.key(name).str(value);
                }
            }
        });
    }
    optional_text(out, "mediaResolution", config.media_resolution.as_ref());
}

fn thinking(out: &mut Pieces<'_>, thinking: &Thinking) {
    match &thinking.amount {
        Some(Amount::Budget(tokens)) => out.key("thinkingBudget").json(&tokens.to_string()),
        Some(Amount::Level(level)) => out.key("thinkingLevel").str(level),
        None => {}
    }
    if let Some(shown) = thinking.shown {
        out.key("includeThoughts").json(if shown { "true" } else { "false" });
    }
}

fn format(out: &mut Pieces<'_>, schema: Option<&Schema<'_>>) {
    out.key("responseMimeType").str("application/json");
    match schema {
        Some(Schema::JsonSchema(schema)) => out.key("responseJsonSchema").json(&schema.0),
        Some(Schema::OpenApi(schema)) => out.key("responseSchema").json(&schema.0),
        None => {}
    }
}

fn optional_text(out: &mut Pieces<'_>, name: &str, text: Option<&Text<'_>>) {
    if let Some(text) = text {
        out.key(name).text(text);
    }
}

fn optional_json(out: &mut Pieces<'_>, name: &str, json: Option<&Json<'_>>) {
    if let Some(json) = json {
        out.key(name).json(&json.0);
    }
}
