"""A program with LiteLLM, by the environment alone: python litellm_client.py <turn|stream|tool> <prompt>."""

import sys

from litellm import completion

mode, prompt = sys.argv[1:]
messages = [{"role": "user", "content": prompt}]
request = {"model": "openai/gpt-5.5", "messages": messages}

if mode == "stream":
    for chunk in completion(**request, stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
elif mode == "tool":
    function = {"name": "answer", "description": "the answer", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": function}]
    first = completion(**request, tools=tools).choices[0].message
    messages.append(first)
    for call in first.tool_calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "tool-ran-42"})
    print(completion(**request, tools=tools).choices[0].message.content)
else:
    print(completion(**request).choices[0].message.content)
