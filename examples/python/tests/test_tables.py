"""Runs the tables of `tests/tables`, which every host of the core must pass."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from copilot_keyless import Core, KeylessError, Schedule, types

TABLES = Path(__file__).parents[3] / "tests/tables"
CORE = Core.shared()
Row = dict[str, Any]


def rows(name: str) -> list[Any]:
    table: list[Row] = json.loads((TABLES / name).read_text("utf8"))
    # The component takes no environment to diagnose a response.
    table = [row for row in table if "env" not in row.get("failure", {})]
    return [pytest.param(row, id=row.get("name") or row["input"]) for row in table]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def camel(value: Any) -> Any:
    """Converts a Python value to the form of the tables, without missing fields."""
    if isinstance(value, dict):
        return {_camel(name): camel(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [camel(inner) for inner in value]
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def refused(row: Row, call: Any) -> KeylessError:
    with pytest.raises(KeylessError) as raised:
        call()
    assert raised.value.code == row["error"]
    return raised.value


@pytest.mark.parametrize("row", rows("expiry.json"))
def test_expiry(row: Row) -> None:
    response = row["response"]
    text = response if isinstance(response, str) else json.dumps(response)

    def call() -> types.AccessToken:
        return CORE.parse_token_response(text, row["requestedAt"], row.get("utcOffsetMinutes"))

    if "expect" in row:
        found = camel(asdict(call()))
        assert found.pop("token")
        assert found == row["expect"]
        assert "token=" not in repr(call())
    else:
        assert "opaque-token" not in str(refused(row, call))


@pytest.mark.parametrize("row", rows("endpoints.json"))
def test_endpoints(row: Row) -> None:
    options = types.EndpointOptions(
        **{snake(name): value for name, value in (row.get("options") or {}).items()}
    )
    if "expect" not in row:
        assert refused(row, lambda: CORE.parse_endpoint(row["input"], options)).hint
        return
    found = camel(asdict(CORE.parse_endpoint(row["input"], options)))
    found["warnings"] = [notice["code"] for notice in found["warnings"]]
    assert {name: found.get(name) for name in row["expect"]} == row["expect"]


@pytest.mark.parametrize("row", rows("diagnoses.json"))
def test_diagnoses(row: Row) -> None:
    given = {snake(name): value for name, value in row["failure"].items()}
    options = {snake(name): value for name, value in (given.pop("options", None) or {}).items()}
    given["headers"] = list((given.get("headers") or {}).items())
    if "claims" in row:
        given["token"] = jwt(row["claims"])
    found = CORE.diagnose(types.FailedRequest(**given, options=types.EndpointOptions(**options)))
    shown = camel(asdict(found))
    fixes = "\n".join(found.fixes)
    for name, expected in row.items():
        match name:
            case "name" | "failure" | "claims":
                pass
            case "cause":
                assert all(text in found.cause for text in expected)
            case "fixes":
                assert all(text in fixes for text in expected)
            case "unsaid":
                assert expected not in found.cause + fixes
            case "without":
                assert expected not in json.dumps(shown, ensure_ascii=False)
            case _:
                assert shown.get(name) == expected, name


def jwt(claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


WALL = 1_700_000_000_000
MONO = 5_000
STARTS = {"untilWall": WALL, "expiresOn": WALL, "refreshOn": WALL, "nextAttemptOn": WALL, "untilMono": MONO}


@pytest.mark.parametrize("row", rows("schedule.json"))
def test_schedule(row: Row) -> None:
    policy = types.RefreshPolicy(**{snake(name): ms for name, ms in row.get("policy", {}).items()})
    if "error" in row:
        refused(row, lambda: CORE.schedule(policy))
        return
    schedule = CORE.schedule(policy)
    compared = 0
    for step in row["steps"]:
        actual = play(schedule, step)
        if "expect" in step:
            compared += 1
            assert matches(actual, step["expect"]), f"{step} gave {actual}"
    assert compared > 0
    schedule.drop()


def since(wall: int, mono: int | None = None) -> types.Now:
    return types.Now(WALL + wall, MONO + (wall if mono is None else mono))


def play(schedule: Schedule, step: Row) -> Any:
    """Runs a step, which tests/core/schedule/table.rs documents."""
    now = since(step["at"], step.get("mono"))
    flight, random = step.get("flight", 0), step.get("random", 0)
    match step["do"]:
        case "request":
            return decision(schedule.request(now))
        case "refresh":
            return decision(schedule.refresh(now))
        case "acquired":
            expires_on = step["expiresOn"] if "expiresOn" in step else WALL + step["expiresAt"]
            refresh_after = WALL + step["refreshAt"] if "refreshAt" in step else None
            answer = types.Answer(since(step["requestedAt"]), expires_on, refresh_after)
            return outcome(schedule.acquired(flight, answer, now, random))
        case "failed":
            failure = types.Failure(
                status=step.get("status"),
                unavailable=step.get("unavailable", False),
                retry_after_ms=step.get("retryAfterMs"),
            )
            return outcome(schedule.failed(flight, failure, now, random))
        case "timedOut":
            return outcome(schedule.timed_out(flight, now, random))
        case "rejectedAgain":
            return outcome(schedule.rejected_again(flight, now, random))
        case "close":
            return schedule.close()
        case "nextWake":
            return schedule.next_wake(now)
        case "wake":
            start = schedule.wake(now)
            return start and camel(asdict(start))
        case "status":
            return camel(asdict(schedule.status(now)))
        case name:
            return getattr(schedule, name)(now)


def decision(found: types.Decision) -> Row:
    names = {types.UseToken: "use", types.WaitForFlight: "wait", types.Refuse: "refuse", types.Closed: "closed"}
    return {"do": names[type(found)], **camel(asdict(found))}


def outcome(found: types.Outcome) -> Row:
    detail = {"afterMs": found.after_ms} if found.error is None else camel(asdict(found.error))
    return {"result": found.result, "detail": detail}


def matches(actual: Any, expected: Any) -> bool:
    if not isinstance(expected, dict) or actual is None:
        return bool(actual == expected) and type(actual) is type(expected)
    return all(
        matches(_since_start(name, actual.get(name)), inner) for name, inner in expected.items()
    )


def _since_start(name: str, value: Any) -> Any:
    return value - STARTS[name] if name in STARTS and value is not None else value


def test_policy() -> None:
    table: list[Row] = json.loads((TABLES / "policy.json").read_text("utf8"))
    assert {field.name for field in fields(types.RefreshPolicy)} == {snake(row["name"]) for row in table}
