"""A user's program with google-genai that downloads one file, named in each way the library takes: its name, and a
video with its address. Prints what it got as one JSON object. Started with the endpoint, the token and the address in
its environment."""

import json
import os

from google import genai
from google.genai import types

client = genai.Client(
    api_key=os.environ["TOKEN"], http_options=types.HttpOptions(base_url=os.environ["ENDPOINT"])
)
uri = os.environ["URI"]
video = types.Video(uri=uri)
made = types.GeneratedVideo(video=types.Video(uri=uri))
results = {
    "video": client.files.download(file=video).decode(),
    "made": client.files.download(file=made).decode(),
    "name": client.files.download(file=os.environ["NAME"]).decode(),
    "read": client.files.get(name=uri.split(":download")[0]).name,
}
print(json.dumps(results))
