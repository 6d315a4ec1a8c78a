"""Embeddings, models and pictures with openai from PyPI, and what this endpoint does not serve.

Each call gives back the same as its namesake in `data.cjs`.
"""

import base64
import re

import openai
from main import MODEL, client_with

client = client_with()


def embedded(**request):
    answer = client.embeddings.create(model="gemini-embedding-001", **request)
    return {
        "vectors": [[round(value, 2) for value in one.embedding] for one in answer.data],
        "order": [one.index for one in answer.data],
        "counted": answer.usage.prompt_tokens > 0,
        "model": answer.model,
    }


def drawn(**request):
    data = client.images.generate(prompt="a cat", **request).data
    decoded = [base64.b64decode(one.b64_json).decode("latin1") for one in data]
    return [re.sub(r"^.*\x82", "…", text, flags=re.S) for text in decoded]


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.type, "is not served" in error.message]
    return "served"


def one_model():
    one = client.models.retrieve(MODEL)
    return [one.id, one.object, one.owned_by]


def no_model():
    try:
        client.models.retrieve("nonsense")
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code]
    return "served"


CALLS = {
    "embeddings": lambda: embedded(input=["one", "two"]),
    "embeddingsFloat": lambda: embedded(input="one", encoding_format="float"),
    "embeddingsShort": lambda: embedded(input="one", dimensions=2),
    "models": lambda: [[one.id, one.object] for one in client.models.list()],
    "oneModel": one_model,
    "noModel": no_model,
    "picture": lambda: drawn(model="gemini-3.1-flash-image", size="1024x1024"),
    "pictures": lambda: drawn(model="imagen-4.0-generate-001", n=2, response_format="b64_json"),
    "responses": lambda: refusal(lambda: client.responses.create(model=MODEL, input="Hi")),
    "speech": lambda: refusal(lambda: client.audio.speech.create(model=MODEL, input="Hi", voice="alloy")),
    "moderations": lambda: refusal(lambda: client.moderations.create(input="Hi")),
    "transcriptions": lambda: refusal(
        lambda: client.audio.transcriptions.create(file=("a.wav", b"a sound"), model=MODEL)
    ),
}
