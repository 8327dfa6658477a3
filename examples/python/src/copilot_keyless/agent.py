"""The agent of the guide "Azure managed identity with BYOK", with a refreshed token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from copilot import CopilotClient
from copilot.session import CopilotSession

from .errors import KeylessError
from .provider import FoundryProvider
from .tokens import Credential


class ManagedIdentityCopilotAgent:
    """A Copilot conversation with a Foundry model and no API key. The first turn starts it.

        async with ManagedIdentityCopilotAgent("https://myres.openai.azure.com", "gpt-5.5") as agent:
            print(await agent.chat("Why is the sky blue?"))

    With `static=True` each call of `chat` is a separate conversation whose token is not refreshed, as
    in the guide.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        model: str | None = None,
        *,
        credential: Credential | Callable[[], Credential] | None = None,
        client: CopilotClient | None = None,
        static: bool = False,
        timeout: float = 120.0,
    ) -> None:
        self.provider = FoundryProvider(endpoint, model, credential=credential)
        self._own_client = client is None
        self._client = client or CopilotClient()
        self._static = static
        self._timeout = timeout
        self._session: CopilotSession | None = None

    async def chat(self, prompt: str) -> str:
        """Sends a prompt and returns the reply."""
        if self._static:
            session = await self._start(await self.provider.static_config())
            try:
                return await self._turn(session, prompt)
            finally:
                await session.disconnect()
        if self._session is None:
            self._session = await self._start(self.provider.config())
        return await self._turn(self._session, prompt)

    async def close(self) -> None:
        """Ends the session and the token provider. Stops the client if the agent created it."""
        try:
            if self._session is not None:
                await self._session.disconnect()
            if self._own_client:
                await self._client.stop()
        finally:
            self.provider.close()

    async def __aenter__(self) -> ManagedIdentityCopilotAgent:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _start(self, config: Any) -> CopilotSession:
        # Tools do nothing without a permission handler.
        return await self._client.create_session(model=self.provider.model, provider=config)

    async def _turn(self, session: CopilotSession, prompt: str) -> str:
        event = await session.send_and_wait(prompt, timeout=self._timeout)
        content = None if event is None else getattr(event.data, "content", None)
        if not isinstance(content, str):
            raise KeylessError("agent/no-reply", "The turn ended without a reply")
        return content
