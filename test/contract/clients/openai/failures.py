"""What can go wrong with openai from PyPI: refusals, quotas, outages, broken streams, clients that leave.

Each model's name says what the upstream does to it. Each call gives back the same as its namesake in `failures.cjs`.
"""

import time

import openai
from main import client_with

client = client_with()
once = client_with(max_retries=0)
MESSAGES = [{"role": "user", "content": "Hi"}]


def told(error):
    response = getattr(error, "response", None)
    return {
        "kind": type(error).__name__,
        "status": getattr(error, "status_code", None),
        **{name: getattr(error, name, None) for name in ("code", "type", "param", "message")},
        "marked": response is not None and "x-aggregator-request-id" in response.headers,
    }


def asked(by=once, **request):
    try:
        raw = by.chat.completions.with_raw_response.create(**{"messages": MESSAGES, **request})
        attempts, key = raw.headers.get("x-aggregator-attempts"), raw.headers.get("x-aggregator-key")
        return {"text": raw.parse().choices[0].message.content, "attempts": attempts, "key": key}
    except openai.APIError as error:
        return told(error)


def streamed(model):
    text = ""
    try:
        for chunk in once.chat.completions.create(model=model, messages=MESSAGES, stream=True):
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        return {"text": text, "ended": "in silence"}
    except openai.APIError as error:
        return {"text": text, **told(error)}


def unfit_inside():
    image = {"type": "image_url", "image_url": {"url": "picture.png"}}
    return asked(model="gemini-3.8-flash", messages=[{"role": "user", "content": [image]}])


def busy_retried():
    begun = time.monotonic()
    result = asked(client_with(max_retries=2), model="gemini-busy-retried")
    return {**result, "seconds": time.monotonic() - begun}


def leaves():
    with client.chat.completions.create(model="gemini-left", messages=MESSAGES, stream=True) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                return "left"
    return "finished"


def leaves_helper():
    with client.chat.completions.stream(model="gemini-left", messages=MESSAGES) as events:
        for event in events:
            if event.type == "content.delta":
                return "left"
    return "finished"


CALLS = {
    "wrongToken": lambda: asked(client_with(api_key="no-such-token", max_retries=0), model="gemini-3.8-flash"),
    "unfit": lambda: asked(model="gemini-3.8-flash", logit_bias={"50256": -100}),
    "unfitInside": unfit_inside,
    "badName": lambda: asked(model="a/b c"),
    "unknownModel": lambda: asked(model="nonsense"),
    "refusedThere": lambda: asked(model="gemini-refused"),
    "busyKey": lambda: asked(model="gemini-busy-key"),
    "busy": lambda: asked(model="gemini-busy"),
    "busyRetried": busy_retried,
    "usedUp": lambda: asked(model="gemini-used-up"),
    "overloadedOnce": lambda: asked(model="gemini-overloaded-once"),
    "overloaded": lambda: asked(model="gemini-overloaded"),
    "withheld": lambda: asked(model="gemini-withheld"),
    "errorInStream": lambda: streamed("gemini-error-in-stream"),
    "bareErrorInStream": lambda: streamed("gemini-bare-error-in-stream"),
    "errorAtOnce": lambda: streamed("gemini-error-at-once"),
    "endsEarly": lambda: streamed("gemini-ends-early"),
    "brokenOff": lambda: streamed("gemini-broken-off"),
    "refusedStream": lambda: streamed("gemini-refused"),
    "silentStream": lambda: streamed("gemini-silent-stream"),
    "silent": lambda: asked(model="gemini-silent"),
    "hasNoPatience": lambda: asked(client_with(max_retries=0, timeout=0.3), model="gemini-slow")["kind"],
    "leaves": leaves,
    "leavesHelper": leaves_helper,
}
