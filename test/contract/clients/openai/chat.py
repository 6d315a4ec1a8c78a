"""Chat and the completions before it with openai from PyPI: whole and streamed, its helpers included.

Each call gives back the same as its namesake in `chat.cjs`.
"""

import asyncio
import base64
import json
from typing import List, Literal

import openai
from main import MODEL, client_with, options
from pydantic import BaseModel

client = client_with()


class Step(BaseModel):
    text: str


class Answer(BaseModel):
    mood: Literal["good", "bad"]
    steps: List[Step]


def user(content):
    return [{"role": "user", "content": content}]


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def create(**request):
    return client.chat.completions.create(**{"model": MODEL, **request})


def said(content, **request):
    return create(messages=user(content), **request).choices[0].message.content


def plain():
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=user("Hi"))
    data = raw.parse()
    choice, usage = data.choices[0], data.usage
    own = sorted(name.lower() for name in raw.headers if name.lower().startswith("x-aggregator-"))
    total = usage.prompt_tokens + usage.completion_tokens
    counted = usage.prompt_tokens > 0 and usage.completion_tokens > 0 and usage.total_tokens == total
    return {
        "text": choice.message.content,
        "role": choice.message.role,
        "finish": choice.finish_reason,
        "model": data.model,
        "counted": counted,
        "own": own,
    }


def stream():
    chunks = list(create(messages=user("in pieces"), stream=True, stream_options={"include_usage": True}))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return {
        "texts": [choice.delta.content for choice in choices if choice.delta.content],
        "ends": [choice.finish_reason for choice in choices if choice.finish_reason],
        "usageLast": not chunks[-1].choices and chunks[-1].usage.total_tokens > 0,
    }


def stream_helper():
    deltas, done = "", ""
    with client.chat.completions.stream(model=MODEL, messages=user("with events")) as events:
        for event in events:
            if event.type == "content.delta":
                deltas += event.delta
            elif event.type == "content.done":
                done = event.content
        choice = events.get_final_completion().choices[0]
    return {"deltas": deltas, "done": done, "final": choice.message.content, "finish": choice.finish_reason}


def parse():
    answer = client.chat.completions.parse(model=MODEL, messages=user("how"), response_format=Answer)
    return answer.choices[0].message.parsed.model_dump()


def parse_stream():
    with client.chat.completions.stream(model=MODEL, messages=user("how"), response_format=Answer) as events:
        return events.get_final_completion().choices[0].message.parsed.model_dump()


def json_object():
    return json.loads(said("as JSON", response_format={"type": "json_object"}))


def image():
    url = f"data:image/png;base64,{base64_of('a picture')}"
    return said([{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": {"url": url}}])


def audio():
    return said([{"type": "input_audio", "input_audio": {"data": base64_of("a sound"), "format": "wav"}}])


def settings():
    messages = [{"role": "system", "content": "Be brief."}, *user("Hi")]
    sampling = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"], "max_completion_tokens": 100}
    return create(messages=messages, **sampling, reasoning_effort="low").choices[0].message.content


def several():
    return [[choice.index, choice.message.content] for choice in create(messages=user("Hi"), n=2).choices]


def length():
    choice = create(messages=user("a long answer"), max_tokens=1).choices[0]
    return [choice.message.content, choice.finish_reason]


def filtered():
    return create(model="gemini-3.8-flash-safe", messages=user("Hi")).choices[0].finish_reason


def thoughts():
    google = {"thinking_config": {"include_thoughts": True}}
    answer = create(messages=user("Hi"), extra_body={"extra_body": {"google": google}})
    message = answer.choices[0].message
    counted = answer.usage.completion_tokens_details.reasoning_tokens > 0
    return {"content": message.content, "thought": message.reasoning_content, "counted": counted}


def headers_of(**request):
    return client.chat.completions.with_raw_response.create(model=MODEL, messages=user("Hi"), **request).headers


def pinned():
    return [headers_of(extra_headers={"x-aggregator-key": "beta"})["x-aggregator-key"] for _ in range(3)]


def ways():
    seen = [headers_of() for _ in range(4)]
    return [f"{headers['x-aggregator-key']} by {headers['x-aggregator-proxy']}" for headers in seen]


def completion():
    answer = client.completions.create(model=MODEL, prompt="Once")
    return [answer.object, answer.choices[0].text, answer.choices[0].finish_reason]


def completion_stream():
    chunks = client.completions.create(model=MODEL, prompt="Once", stream=True)
    return "".join(choice.text for chunk in chunks for choice in chunk.choices)


async def together():
    async with openai.AsyncOpenAI(**options()) as many:
        asked = [many.chat.completions.create(model=MODEL, messages=user(f"Hi {n}")) for n in range(8)]
        return [answer.choices[0].message.content for answer in await asyncio.gather(*asked)]


def asynchronous():
    return asyncio.run(together())


CALLS = {
    "plain": plain,
    "stream": stream,
    "streamHelper": stream_helper,
    "parse": parse,
    "parseStream": parse_stream,
    "jsonObject": json_object,
    "image": image,
    "audio": audio,
    "settings": settings,
    "several": several,
    "length": length,
    "filtered": filtered,
    "thoughts": thoughts,
    "pinned": pinned,
    "ways": ways,
    "completion": completion,
    "completionStream": completion_stream,
    "asynchronous": asynchronous,
}
