"""The unmodified google-genai client, as a user's own program would call it.

Address and token come from the environment, the prompt from the command line.
Prints one line of JSON with what came back.
"""

import json
import sys

from google import genai

_, model, prompt = sys.argv
# Address and key are taken from GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY.
client = genai.Client()
whole = client.models.generate_content(model=model, contents=prompt)
stream = client.models.generate_content_stream(model=model, contents=prompt)
print(json.dumps({"text": whole.text, "chunks": [chunk.text or "" for chunk in stream]}))
