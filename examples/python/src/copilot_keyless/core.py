"""Loads the component with wasmtime, and calls its functions with Python types."""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

from wasmtime import Engine, Store
from wasmtime.component import Component, Func, Linker, Record, ResourceAny, Variant

from . import types
from .convert import from_component, to_component
from .errors import KeylessError

_PACKAGE = "copilot-keyless:core"
_VERSION = "0.1.0"


def component_path() -> Path:
    """Finds the component: `COPILOT_KEYLESS_COMPONENT`, beside this file, or the output of
    `npm run tool component`.
    """
    given = os.environ.get("COPILOT_KEYLESS_COMPONENT")
    if given:
        return Path(given)
    here = Path(__file__)
    packaged = here.with_name("component.wasm")
    return packaged if packaged.exists() else here.parents[4] / "target/component.wasm"


class Core:
    """An instance of the component. It imports nothing, so it has no access to this program.
    Threads may share it.
    """

    def __init__(self, path: Path | None = None) -> None:
        engine = Engine()
        component = Component(engine, (path or component_path()).read_bytes())
        self._store = Store(engine)
        self._instance = Linker(engine).instantiate(self._store, component)
        self._functions: dict[tuple[str, str], Func] = {}
        self._lock = threading.Lock()

    @staticmethod
    @cache
    def shared() -> Core:
        """Returns one instance for the whole process, because compiling is slow."""
        return Core()

    def parse_token_response(
        self, response: str, requested_at: int, utc_offset_minutes: int | None = None
    ) -> types.AccessToken:
        found = self.decide("expiry", "parse-token-response", response, requested_at, utc_offset_minutes)
        return from_component(found, types.AccessToken)

    def parse_endpoint(
        self, url: str, options: types.EndpointOptions = types.EndpointOptions()
    ) -> types.Endpoint:
        return from_component(self.decide("endpoint", "parse-endpoint", url, options), types.Endpoint)

    def plan_provider(self, request: types.ProviderRequest) -> types.ProviderPlan:
        return from_component(self.decide("provider", "plan-provider", request), types.ProviderPlan)

    def diagnose(self, failure: types.FailedRequest) -> types.Diagnosis:
        return from_component(self.call("diagnosis", "diagnose", failure), types.Diagnosis)

    def schedule(self, policy: types.RefreshPolicy = types.RefreshPolicy()) -> Schedule:
        return Schedule(self, self.decide("schedule", "[static]schedule.create", policy))

    def call(self, interface: str, name: str, *arguments: Any) -> Any:
        """Calls a function of an interface."""
        with self._lock:
            function = self._functions.get((interface, name))
            if function is None:
                function = self._functions[interface, name] = self._find(interface, name)
            return function(self._store, *map(to_component, arguments))

    def decide(self, interface: str, name: str, *arguments: Any) -> Any:
        """Calls a function that may return an error."""
        result = self.call(interface, name, *arguments)
        # wasmtime omits the tag when the two sides of a result have different classes.
        if isinstance(result, Variant):
            refused, result = result.tag == "err", result.payload
        else:
            refused = isinstance(result, Record)
        if refused:
            error = from_component(result, types.ErrorDetail)
            raise KeylessError(error.code, error.message, error.hint)
        return result

    def drop(self, resource: ResourceAny) -> None:
        """Frees a resource."""
        with self._lock:
            resource.drop(self._store)

    def _find(self, interface: str, name: str) -> Func:
        instance = self._instance.get_export_index(self._store, f"{_PACKAGE}/{interface}@{_VERSION}")
        index = self._instance.get_export_index(self._store, name, instance)
        function = None if index is None else self._instance.get_func(self._store, index)
        if function is None:
            raise LookupError(f"The component has no {interface}/{name}; is it of version {_VERSION}?")
        return function


class Schedule:
    """The refresh schedule of a token provider."""

    def __init__(self, core: Core, handle: ResourceAny) -> None:
        self._core = core
        self._handle = handle

    def request(self, now: types.Now) -> types.Decision:
        return self._decision("request", now)

    def refresh(self, now: types.Now) -> types.Decision:
        return self._decision("refresh", now)

    def _decision(self, method: str, now: types.Now) -> types.Decision:
        decision: Variant = self._call(method, now)
        match decision.tag:
            case "use":
                return from_component(decision.payload, types.UseToken)
            case "wait":
                return from_component(decision.payload, types.WaitForFlight)
            case "refuse":
                return types.Refuse(decision.payload or 0)
            case _:
                return types.Closed()

    def wake(self, now: types.Now) -> types.FlightStart | None:
        start = self._call("wake", now)
        return None if start is None else from_component(start, types.FlightStart)

    def next_wake(self, now: types.Now) -> int | None:
        wait: int | None = self._call("next-wake", now)
        return wait

    def acquired(self, flight: int, answer: types.Answer, now: types.Now, random: float) -> types.Outcome:
        return _outcome(self._call("acquired", flight, answer, now, float(random)))

    def failed(self, flight: int, failure: types.Failure, now: types.Now, random: float) -> types.Outcome:
        return _outcome(self._call("failed", flight, failure, now, float(random)))

    def timed_out(self, flight: int, now: types.Now, random: float) -> types.Outcome:
        return _outcome(self._call("timed-out", flight, now, float(random)))

    def rejected_again(self, flight: int, now: types.Now, random: float) -> types.Outcome:
        return _outcome(self._call("rejected-again", flight, now, float(random)))

    def invalidate(self, now: types.Now) -> bool:
        return bool(self._call("invalidate", now))

    def challenged(self, now: types.Now) -> bool:
        return bool(self._call("challenged", now))

    def close(self) -> None:
        self._call("close")

    def status(self, now: types.Now) -> types.Status:
        return from_component(self._call("status", now), types.Status)

    def drop(self) -> None:
        """Frees the schedule. Call no other method afterwards."""
        self._core.drop(self._handle)

    def _call(self, method: str, *arguments: Any) -> Any:
        return self._core.call("schedule", f"[method]schedule.{method}", self._handle, *arguments)


def _outcome(variant: Variant) -> types.Outcome:
    result: Any = variant.tag
    match result:
        case "retry":
            return types.Outcome(result, after_ms=variant.payload)
        case "refused":
            return types.Outcome(result, error=from_component(variant.payload, types.ErrorDetail))
        case _:
            return types.Outcome(result)
