"""A user's program with google-genai from PyPI, as unmodified as its library.

It asks everything once and prints what it got as one JSON object. Started with the endpoint and the token in its
environment; knows of no keys.
"""

import json
import os

from google import genai
from google.genai import errors, types

ENDPOINT = os.environ["ENDPOINT"]
MODEL = "gemini-3.8-flash"


def client_with(token):
    return genai.Client(api_key=token, http_options=types.HttpOptions(base_url=ENDPOINT))


ai = client_with(os.environ["TOKEN"])


def generate():
    return ai.models.generate_content(model=MODEL, contents="Hi from Python").text


def stream():
    return [chunk.text for chunk in ai.models.generate_content_stream(model=MODEL, contents="streamed, piece by piece")]


def count_tokens():
    return ai.models.count_tokens(model=MODEL, contents="Hi from Python").total_tokens


def embed():
    answer = ai.models.embed_content(model="gemini-embedding-001", contents=["one", "two"])
    return [len(embedding.values) for embedding in answer.embeddings]


def models():
    return [one.name for one in ai.models.list(config={"page_size": 2})]


def upload_small():
    return str(ai.files.upload(file=os.environ["SMALL_FILE"], config={"mime_type": "text/plain"}).size_bytes)


def upload_large():
    file = ai.files.upload(file=os.environ["LARGE_FILE"], config={"mime_type": "application/octet-stream"})
    return {"size": str(file.size_bytes), "hash": file.sha256_hash}


def refused():
    stranger = client_with("no-such-token")
    try:
        stranger.models.generate_content(model=MODEL, contents="Hi")
    except errors.APIError as error:
        return {"status": error.code, "message": error.message}
    return "served"


CALLS = {
    "generate": generate,
    "stream": stream,
    "countTokens": count_tokens,
    "embed": embed,
    "models": models,
    "uploadSmall": upload_small,
    "uploadLarge": upload_large,
    "refused": refused,
}

print(json.dumps({name: CALLS[name]() for name in os.environ["CALLS"].split(",")}))
