"""A program with `openai`, by the environment alone: python openai_client.py <turn|stream|tool> <prompt>."""

import sys

from openai import OpenAI

mode, prompt = sys.argv[1:]
client = OpenAI()
model = "gpt-5.5"

if mode == "stream":
    with client.responses.stream(model=model, input=prompt) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                print(event.delta, end="", flush=True)
        events.get_final_response()
elif mode == "tool":
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}
    tool = {"type": "function", "name": "answer", "description": "the answer", "parameters": parameters, "strict": True}
    first = client.responses.create(model=model, input=prompt, tools=[tool])
    call = next(item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "tool-ran-42"}
    messages = [{"role": "user", "content": prompt}, *first.output, result]
    print(client.responses.create(model=model, input=messages, tools=[tool]).output_text)
else:
    print(client.responses.create(model=model, input=prompt).output_text)
