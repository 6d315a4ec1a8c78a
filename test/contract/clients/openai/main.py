"""A user's program with openai from PyPI, as unmodified as its library.

It makes the calls of one theme and prints what it got as one JSON object. Started with the base URL, the token, theme
and calls in its environment; knows of no keys.
"""

import importlib
import json
import os
import traceback

import openai

MODEL = "gemini-3.8-flash"


def options(**more):
    return {"api_key": os.environ["TOKEN"], "base_url": os.environ["BASE_URL"], **more}


def client_with(**more):
    return openai.OpenAI(**options(**more))


def result_of(call):
    try:
        return call()
    except Exception:  # Words for what went wrong, in place of a result.
        return {"failed": traceback.format_exc()}


if __name__ == "__main__":
    theme = importlib.import_module(os.environ["THEME"])
    print(json.dumps({name: result_of(theme.CALLS[name]) for name in os.environ["CALLS"].split(",")}))
