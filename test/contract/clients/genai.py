"""A user's program with google-genai from PyPI, as unmodified as its library.

It asks what it is told to ask and prints what it got as one JSON object. Started with the endpoint and the token in its
environment; knows of no keys.
"""

import asyncio
import json
import os

from google import genai
from google.genai import errors, types

ENDPOINT = os.environ["ENDPOINT"]
TOKEN = os.environ["TOKEN"]
MODEL = "gemini-3.8-flash"


def client_with(token, **options):
    return genai.Client(api_key=token, http_options=types.HttpOptions(base_url=ENDPOINT, **options))


ai = client_with(TOKEN)


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


def small_file():
    return ai.files.upload(file=os.environ["SMALL_FILE"], config={"mime_type": "text/plain"})


def upload_small():
    return str(small_file().size_bytes)


def upload_large():
    file = ai.files.upload(file=os.environ["LARGE_FILE"], config={"mime_type": "application/octet-stream"})
    return {"size": str(file.size_bytes), "hash": file.sha256_hash}


def files():
    made = [small_file().name for _ in range(3)]
    read = [ai.files.get(name=name).name for name in made]
    listed = [file.name for file in ai.files.list(config={"page_size": 2})]
    for name in made:
        ai.files.delete(name=name)
    left = [file.name for file in ai.files.list()]
    in_list = lambda names: [names.count(name) for name in made]
    return {"read": read == made, "listed": in_list(listed), "left": in_list(left)}


def use_file():
    file = small_file()
    contents = [types.Part.from_uri(file_uri=file.uri, mime_type="text/plain"), "read it"]
    return [ai.models.generate_content(model=MODEL, contents=contents).text for _ in range(3)]


def cache():
    name = ai.caches.create(model=MODEL, config={"contents": "long", "ttl": "300s"}).name
    config = types.GenerateContentConfig(cached_content=name)
    said = [ai.models.generate_content(model=MODEL, contents=text, config=config).text for text in ("one", "two")]
    read = ai.caches.get(name=name)
    ai.caches.delete(name=name)
    return {"said": said, "read": read.name == name}


def batch_inline():
    src = [types.InlinedRequest(contents="Hi")]
    name = ai.batches.create(model=MODEL, src=src, config={"display_name": "inline"}).name
    state = ai.batches.get(name=name).state.value
    ai.batches.cancel(name=name)
    listed = [batch.name for batch in ai.batches.list()]
    ai.batches.delete(name=name)
    return {"state": state, "listed": name in listed}


def batch_file():
    config = {"display_name": "from file"}
    name = ai.batches.create(model=MODEL, src=small_file().name, config=config).name
    return ai.batches.get(name=name).state.value


def said_in(interaction):
    return interaction.steps[0].content[0].text


def interactions():
    first = ai.interactions.create(model=MODEL, input="one")
    second = ai.interactions.create(model=MODEL, input="two", previous_interaction_id=first.id)
    read = [said_in(ai.interactions.get(id=one.id)) for one in (first, second)]
    events = list(ai.interactions.create(model=MODEL, input="three", previous_interaction_id=second.id, stream=True))
    ai.interactions.delete(id=events[-1].interaction.id)
    return {"read": read, "events": [event.event_type for event in events], "text": events[2].delta.text}


def store():
    name = ai.file_search_stores.create(config={"display_name": "s1"}).name
    ai.file_search_stores.upload_to_file_search_store(
        file_search_store_name=name, file=os.environ["SMALL_FILE"], config={"mime_type": "text/plain"}
    )
    documents = [document.name for document in ai.file_search_stores.documents.list(parent=name)]
    read = ai.file_search_stores.get(name=name)
    ai.file_search_stores.delete(name=name, config={"force": True})
    return {"read": read.name == name, "documents": [document.startswith(name) for document in documents]}


async def talk_live(client):
    heard = ""
    async with client.aio.live.connect(model=MODEL, config={"response_modalities": ["TEXT"]}) as session:
        turns = types.Content(role="user", parts=[types.Part(text="Hi, live")])
        await session.send_client_content(turns=turns, turn_complete=True)
        async for message in session.receive():
            heard += message.text or ""
    return {"heard": heard}


def live():
    return asyncio.run(asyncio.wait_for(talk_live(ai), 20))


def live_with_token():
    maker = client_with(TOKEN, api_version="v1alpha")
    name = maker.auth_tokens.create(config={"uses": 1}).name
    return asyncio.run(asyncio.wait_for(talk_live(client_with(name, api_version="v1alpha")), 20))


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
    "files": files,
    "useFile": use_file,
    "cache": cache,
    "batchInline": batch_inline,
    "batchFile": batch_file,
    "interactions": interactions,
    "store": store,
    "live": live,
    "liveWithToken": live_with_token,
    "refused": refused,
}


def result_of(name):
    try:
        return CALLS[name]()
    except Exception as error:  # Words for what went wrong, in place of a result.
        return {"failed": repr(error)}


print(json.dumps({name: result_of(name) for name in os.environ["CALLS"].split(",")}))
