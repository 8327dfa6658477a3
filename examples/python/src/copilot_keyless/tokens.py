"""Keeps a token fresh for one credential and scope, as the schedule decides."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.credentials_async import AsyncTokenCredential

from . import types
from .core import Core
from .errors import CredentialFailure, KeylessError, credential_failure

Credential = TokenCredential | AsyncTokenCredential


class Clock(Protocol):
    """A source of time and random numbers."""

    def wall(self) -> int: ...
    def mono(self) -> int: ...
    def random(self) -> float: ...


class SystemClock:
    """The clock of this machine, in milliseconds."""

    def wall(self) -> int:
        return time.time_ns() // 1_000_000

    def mono(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def random(self) -> float:
        return random.random()


@dataclass
class _Flight:
    """An acquisition in progress, shared by all its callers."""

    id: int
    landing: asyncio.Future[AccessToken]
    awaited: bool
    started: int
    task: asyncio.Task[None] | None = None
    deadline: asyncio.TimerHandle | None = None


@dataclass
class _Held:
    token: AccessToken | None = field(default=None, repr=False)
    rejected: str | None = field(default=None, repr=False)
    error: KeylessError | None = None


class TokenProvider:
    """Returns a usable token at any time. Call it, or pass it as the Copilot SDK's
    `bearer_token_provider`.

    `credential` is a credential of azure-identity, or a function that creates one. The credentials
    of azure-identity cache a managed identity's token until it expires, so pass a function that
    creates a new one for each acquisition: then the schedule decides.

    Make all calls from one event loop.
    """

    def __init__(
        self,
        credential: Credential | Callable[[], Credential],
        scope: str,
        *,
        policy: types.RefreshPolicy = types.RefreshPolicy(),
        core: Core | None = None,
        clock: Clock | None = None,
    ) -> None:
        # A credential is not callable, but a function or class that creates one is.
        self._make: Callable[[], Credential] = credential if callable(credential) else lambda: credential
        self._scope = scope
        self._clock = clock or SystemClock()
        self._schedule = (core or Core.shared()).schedule(policy)
        self._held = _Held()
        self._flight: _Flight | None = None

    async def __call__(self, _args: Any = None) -> str:
        """Returns the token, without `Bearer `. Ignores the session that the Copilot SDK passes."""
        return (await self.get_token()).token

    async def get_token(self) -> AccessToken:
        """Returns the token and its expiry. Waits if there is no usable token."""
        decision = self._schedule.request(self._now())
        match decision:
            case types.UseToken(start=start):
                if start is not None:
                    self._launch(start.flight, start.timeout_ms, awaited=False)
                assert self._held.token is not None
                return self._held.token
            case types.WaitForFlight(flight=flight, timeout_ms=timeout_ms, start=start):
                if start:
                    self._launch(flight, timeout_ms, awaited=True)
                current = self._flight
                assert current is not None
                if not current.awaited:
                    current.awaited = True
                    self._set_deadline(current, timeout_ms)
                # A cancelled caller must not cancel the acquisition.
                return await asyncio.shield(current.landing)
            case types.Refuse():
                raise self._held.error or _closed()
            case types.Closed():
                raise _closed()

    def invalidate(self, rejected: str | None = None) -> bool:
        """Discards the cached token because the resource rejected it. Returns whether it did."""
        held = self._held.token
        if held is None or (rejected is not None and rejected != held.token):
            return False
        if not self._schedule.invalidate(self._now()):
            return False
        self._held = _Held(rejected=held.token, error=self._held.error)
        return True

    @property
    def status(self) -> types.Status:
        return self._schedule.status(self._now())

    def close(self) -> None:
        """Discards the token, and rejects all later calls."""
        self._schedule.close()
        if self._flight is not None:
            flight = self._end(self._flight)
            _reject(flight, _closed())
            _cancel(flight)
        self._held = _Held()

    def _now(self) -> types.Now:
        return types.Now(self._clock.wall(), self._clock.mono())

    def _launch(self, flight_id: int, timeout_ms: int, *, awaited: bool) -> None:
        loop = asyncio.get_running_loop()
        overdue = self._flight
        flight = _Flight(flight_id, loop.create_future(), awaited, self._clock.mono())
        # Read the exception, because there may be no caller to do so.
        flight.landing.add_done_callback(lambda landing: landing.cancelled() or landing.exception())
        self._flight = flight
        self._set_deadline(flight, timeout_ms)
        if overdue is not None:
            # Its deadline passed while the machine slept: its callers now wait for this flight.
            _end_timers(overdue)
            _cancel(overdue)
            flight.landing.add_done_callback(lambda landing: _copy(landing, overdue.landing))
        flight.task = loop.create_task(self._attempts(flight))

    async def _attempts(self, flight: _Flight) -> None:
        """Calls the credential until the schedule ends the flight."""
        while True:
            requested = self._now()
            try:
                token, refresh_on = await self._ask()
            except Exception as error:  # Callers receive any exception of the credential.
                wait_ms = self._failed(flight, credential_failure(error))
            else:
                wait_ms = None
                self._landed(flight, token, refresh_on, requested)
            if wait_ms is None:
                return
            await asyncio.sleep(wait_ms / 1_000)

    async def _ask(self) -> tuple[AccessToken, int | None]:
        credential: Any = self._make()
        # The newer method also returns when to refresh.
        get_token = getattr(credential, "get_token_info", None) or credential.get_token
        if inspect.iscoroutinefunction(get_token):
            token: Any = await get_token(self._scope)
        else:
            # A synchronous credential blocks.
            token = await asyncio.to_thread(get_token, self._scope)
        return AccessToken(token.token, token.expires_on), getattr(token, "refresh_on", None)

    def _landed(
        self, flight: _Flight, token: AccessToken, refresh_on: int | None, requested: types.Now
    ) -> None:
        now, chance = self._now(), self._clock.random()
        if token.token == self._held.rejected:
            outcome = self._schedule.rejected_again(flight.id, now, chance)
            self._held.rejected = None
            self._finish(flight, outcome, _rejected_again())
            return
        answer = types.Answer(requested, token.expires_on, refresh_on)
        outcome = self._schedule.acquired(flight.id, answer, now, chance)
        match outcome.result:
            case "accepted":
                self._held = _Held(token)
                _resolve(self._end(flight), token)
                if self._flight is not None:
                    # A late token also serves callers of the next flight.
                    _resolve(self._flight, token)
            case "unchanged":
                assert self._held.token is not None
                _resolve(self._end(flight), self._held.token)
            case "refused":
                assert outcome.error is not None
                error = KeylessError(outcome.error.code, outcome.error.message, outcome.error.hint)
                self._finish(flight, outcome, error)
            case _:
                pass

    def _failed(self, flight: _Flight, failure: CredentialFailure) -> int | None:
        told = types.Failure(
            status=failure.status, unavailable=failure.unavailable, retry_after_ms=failure.retry_after_ms
        )
        outcome = self._schedule.failed(flight.id, told, self._now(), self._clock.random())
        if outcome.result == "retry":
            return outcome.after_ms
        self._finish(flight, outcome, failure.error)
        return None

    def _finish(self, flight: _Flight, outcome: types.Outcome, error: KeylessError) -> None:
        """Ends a flight without a token, unless it has already ended."""
        if outcome.result == "ignored":
            return
        self._held.error = error
        _reject(self._end(flight), error)

    def _set_deadline(self, flight: _Flight, timeout_ms: int) -> None:
        _end_timers(flight)
        loop = asyncio.get_running_loop()
        flight.deadline = loop.call_later(timeout_ms / 1_000, self._timed_out, flight)

    def _timed_out(self, flight: _Flight) -> None:
        outcome = self._schedule.timed_out(flight.id, self._now(), self._clock.random())
        self._finish(flight, outcome, _timed_out(self._clock.mono() - flight.started))

    def _end(self, flight: _Flight) -> _Flight:
        _end_timers(flight)
        if self._flight is flight:
            self._flight = None
        return flight


def _end_timers(flight: _Flight) -> None:
    if flight.deadline is not None:
        flight.deadline.cancel()


def _cancel(flight: _Flight) -> None:
    if flight.task is not None:
        flight.task.cancel()


def _resolve(flight: _Flight, token: AccessToken) -> None:
    if not flight.landing.done():
        flight.landing.set_result(token)


def _reject(flight: _Flight, error: KeylessError) -> None:
    if not flight.landing.done():
        flight.landing.set_exception(error)


def _copy(landing: asyncio.Future[AccessToken], to: asyncio.Future[AccessToken]) -> None:
    if to.done():
        return
    error = landing.exception()
    if error is None:
        to.set_result(landing.result())
    else:
        to.set_exception(error)


def _closed() -> KeylessError:
    return KeylessError("token/closed", "The token provider is closed", "Create another one.")


def _timed_out(age_ms: int) -> KeylessError:
    return KeylessError(
        "token/timeout",
        f"The credential gave no token in {age_ms / 1_000:.0f} s",
        "Check that the identity endpoint can be reached, or raise wait_timeout_ms in the policy.",
    )


def _rejected_again() -> KeylessError:
    return KeylessError(
        "token/rejected-again",
        "The credential gave the very token that was rejected",
        "Its age is not what is wrong with it: check the audience and the role.",
    )
