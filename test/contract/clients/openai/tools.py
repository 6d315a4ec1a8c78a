"""Tools with openai from PyPI: conversations over several turns, whole and streamed.

They keep all that the answers held or only what OpenAI's own have. Each call gives back the same as its namesake in
`tools.cjs`; this library's runners serve other endpoints only.
"""

import json
import os

from main import MODEL, client_with
from openai import pydantic_function_tool
from pydantic import BaseModel

THREE_TURNS = 'call weather {"city":"Paris"}\ncall clock {"zone":"UTC"}\ncall weather {"city":"Rome"}'
PARALLEL = 'call weather {"city":"Paris"} and weather {"city":"Rome"} and clock {"zone":"UTC"}'

client = client_with()


class Weather(BaseModel):
    city: str


class Clock(BaseModel):
    zone: str


TOOLS = [pydantic_function_tool(Weather, name="weather"), pydantic_function_tool(Clock, name="clock")]


def begin(content):
    return [{"role": "user", "content": content}]


def answer_of(call):
    value = next(iter(json.loads(call.function.arguments).values()))
    return json.dumps({call.function.name: value}, separators=(",", ":"))


def everything(message):
    return message


def as_dictionary(message):
    return message.model_dump(exclude_none=True)


def bare(message):
    """Only what OpenAI's own messages have, as many programs keep it."""
    kept = [
        {
            "id": call.id,
            "type": call.type,
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in message.tool_calls or []
    ]
    return {"role": message.role, "content": message.content, **({"tool_calls": kept} if kept else {})}


def whole(messages):
    return client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS).choices[0]


def streamed(messages):
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=TOOLS) as events:
        return events.get_final_completion().choices[0]


def converse(messages, ask=whole, keep=everything, turns=9):
    """Goes on until the model has no more to call, or for so many turns."""
    called = []
    for _ in range(turns):
        choice = ask(messages)
        messages.append(keep(choice.message))
        if choice.finish_reason != "tool_calls":
            return {"called": called, "text": choice.message.content}
        called.append("+".join(call.function.name for call in choice.message.tool_calls))
        for call in choice.message.tool_calls:
            messages.append({"role": "tool", "tool_call_id": call.id, "content": answer_of(call)})
    return {"called": called, "messages": messages}


def parsed():
    request = {"model": MODEL, "messages": begin('call weather {"city":"Oslo"}'), "tools": TOOLS}
    message = client.chat.completions.parse(**request).choices[0].message
    return [call.function.parsed_arguments.model_dump() for call in message.tool_calls]


def argument_events():
    with client.chat.completions.stream(model=MODEL, messages=begin(PARALLEL), tools=TOOLS) as events:
        done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    return [[event.name, event.index, json.loads(event.arguments)] for event in done]


def chosen():
    said = []
    for choice in ["required", "none", {"type": "function", "function": {"name": "clock"}}]:
        request = {"model": MODEL, "messages": begin("Hi"), "tools": TOOLS, "tool_choice": choice}
        message = client.chat.completions.create(**request).choices[0].message
        said.append(message.tool_calls[0].function.name if message.tool_calls else message.content)
    return said


CALLS = {
    "kept": lambda: converse(begin(THREE_TURNS)),
    "keptStreamed": lambda: converse(begin(THREE_TURNS), ask=streamed),
    "bare": lambda: converse(begin(THREE_TURNS), keep=bare),
    "bareStreamed": lambda: converse(begin(THREE_TURNS), ask=streamed, keep=bare),
    "parallel": lambda: converse(begin(PARALLEL)),
    "parallelStreamed": lambda: converse(begin(PARALLEL), ask=streamed, keep=bare),
    "firstTurn": lambda: converse(begin(THREE_TURNS), keep=bare, turns=1),
    "firstTurnKept": lambda: converse(begin(THREE_TURNS), keep=as_dictionary, turns=1),
    "goOn": lambda: converse(json.loads(os.environ["HISTORY"])),
    "parsed": parsed,
    "argumentEvents": argument_events,
    "chosen": chosen,
}
