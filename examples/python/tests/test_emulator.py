"""Tests real conversations: the Copilot SDK and its runtime, azure-identity, and the emulator of
this repository.
"""

from __future__ import annotations

import asyncio
import math
import time

import pytest
from azure.identity import ManagedIdentityCredential
from conftest import Emulator

from copilot_keyless import FoundryProvider, ManagedIdentityCopilotAgent, TokenProvider


def test_one_shot_with_a_static_bearer_token(emulator: Emulator) -> None:
    async def converse() -> str:
        async with ManagedIdentityCopilotAgent(static=True) as agent:
            return await agent.chat("Say the word lighthouse")

    assert "lighthouse" in asyncio.run(converse())
    counts = emulator.stop()
    assert counts.identity == 1
    assert counts.unauthorized == 0
    assert counts.model >= 1


def test_a_conversation_by_the_token_callback(emulator: Emulator) -> None:
    async def converse() -> list[str]:
        async with ManagedIdentityCopilotAgent() as agent:
            return [await agent.chat(f"Turn {turn}") for turn in range(3)]

    for turn, reply in enumerate(asyncio.run(converse())):
        assert f"Turn {turn}" in reply
    counts = emulator.stop()
    assert counts.identity == 1
    assert counts.unauthorized == 0


@pytest.mark.parametrize("emulator", [10], indirect=True)
def test_tokens_of_ten_seconds_over_thirty(emulator: Emulator) -> None:
    async def converse() -> tuple[int, float]:
        started, turns = time.monotonic(), 0
        async with ManagedIdentityCopilotAgent() as agent:
            while time.monotonic() - started < 30:
                turns += 1
                assert f"Turn {turns}" in await agent.chat(f"Turn {turns}")
                await asyncio.sleep(0.2)
            assert agent.provider.tokens.status.consecutive_failures == 0
        return turns, time.monotonic() - started

    turns, elapsed = asyncio.run(converse())
    counts = emulator.stop()
    print(f"{turns} turns in {elapsed:.1f} s: {counts}")
    assert turns > 20
    assert counts.unauthorized == 0
    # A token lives 9 to 10 s. Its refresh is due at half of that, and forced at three quarters.
    assert math.floor(elapsed / 7.5) <= counts.identity <= math.ceil(elapsed / 4.5) + 1


def test_a_thousand_cold_callers_are_one_request(emulator: Emulator) -> None:
    async def call() -> set[str]:
        tokens = FoundryProvider().tokens
        return set(await asyncio.gather(*(tokens() for _ in range(1_000))))

    assert len(asyncio.run(call())) == 1
    assert emulator.stop().identity == 1


def test_a_rejected_token_is_replaced(emulator: Emulator) -> None:
    async def call() -> None:
        tokens = TokenProvider(ManagedIdentityCredential, "https://ai.azure.com/.default")
        first = await tokens()
        assert not tokens.invalidate("another")
        assert tokens.invalidate(first)
        assert await tokens() != first
        tokens.close()
        assert tokens.status.state == "closed"

    asyncio.run(call())
    assert emulator.stop().identity == 2
