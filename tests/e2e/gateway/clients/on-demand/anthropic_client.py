"""A program with `anthropic`, by the environment alone: python anthropic_client.py <turn|stream|tool> <prompt>."""

import sys

from anthropic import Anthropic

mode, prompt = sys.argv[1:]
client = Anthropic()
messages = [{"role": "user", "content": prompt}]
request = {"model": "claude-sonnet-5", "max_tokens": 1024, "messages": messages}

if mode == "stream":
    with client.messages.stream(**request) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        stream.get_final_message()
elif mode == "tool":
    tools = [{"name": "answer", "description": "the answer", "input_schema": {"type": "object", "properties": {}}}]
    first = client.messages.create(**request, tools=tools)
    call = next(block for block in first.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "tool-ran-42"}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    print(client.messages.create(**request, tools=tools).content[0].text)
else:
    counted = client.messages.count_tokens(model=request["model"], messages=messages)
    assert counted.input_tokens > 0
    print(client.messages.create(**request).content[0].text)
