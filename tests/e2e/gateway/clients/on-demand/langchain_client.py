"""A program with LangChain, by the environment alone: python langchain_client.py <turn|stream|tool> <prompt>."""

import sys

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def answer() -> str:
    """the answer"""
    return "tool-ran-42"


mode, prompt = sys.argv[1:]
model = ChatOpenAI(model="gpt-5.5")

if mode == "stream":
    for chunk in model.stream(prompt):
        print(chunk.text, end="", flush=True)
elif mode == "tool":
    with_tool = model.bind_tools([answer])
    first = with_tool.invoke(prompt)
    messages = [HumanMessage(prompt), first, *(answer.invoke(call) for call in first.tool_calls)]
    print(with_tool.invoke(messages).text)
else:
    print(model.invoke(prompt).text)
