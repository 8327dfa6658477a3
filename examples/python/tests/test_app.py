"""Tests an app of yours with the emulator: any language can start it and control it over HTTP."""

import json
import os
import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from azure.identity import ManagedIdentityCredential

COMMAND = os.environ.get("EMULATOR_COMMAND", "npx copilot-keyless emulator --json")


class Emulator:
    def __init__(self) -> None:
        self.process = subprocess.Popen(shlex.split(COMMAND), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.env: dict[str, str] = json.loads(self.process.stdout.readline())

    def control(self, method: str, path: str = "", body: object = None) -> Any:
        url = f"{self.env['FOUNDRY_RESOURCE_URL']}/_emulator{path}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def started() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.process.terminate()
    emulator.process.wait(timeout=20)


@pytest.fixture
def emulator(started: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    started.control("POST", "/reset")
    for name, value in started.env.items():
        monkeypatch.setenv(name, value)
    return started


def ask(prompt: str) -> tuple[int, str]:
    """Stands for the app under test."""
    token = ManagedIdentityCredential().get_token(os.environ["FOUNDRY_TOKEN_SCOPE"]).token
    request = urllib.request.Request(
        f"{os.environ['FOUNDRY_RESOURCE_URL']}/openai/v1/responses",
        json.dumps({"model": os.environ["FOUNDRY_MODEL_NAME"], "input": prompt}).encode(),
        {"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)["output"][0]["content"][0]["text"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]["code"]


def test_a_scripted_reply(emulator: Emulator) -> None:
    emulator.control("POST", "/replies", {"text": "Sunny.", "when": {"prompt": "weather"}})
    assert ask("How is the weather?") == (200, "Sunny.")


def test_a_fault_for_some_requests(emulator: Emulator) -> None:
    match = {"body": "weather"}
    fault = {"server": "foundry", "kind": "status", "status": 503, "match": match}
    added = emulator.control("POST", "/faults", fault)
    assert ask("Hello")[0] == 200
    assert ask("How is the weather?") == (503, "ServiceUnavailable")
    assert emulator.control("GET", f"/faults/{added['id']}") == {"hits": 1}


def test_a_removed_deployment_and_a_missing_role(emulator: Emulator) -> None:
    emulator.control("POST", "/deployments", {"deployments": ["gpt-4o"]})
    assert ask("Hello") == (404, "DeploymentNotFound")
    emulator.control("POST", "/roles", {"roles": []})
    assert ask("Hello") == (401, "PermissionDenied")


def test_unknown_fields_are_refused(emulator: Emulator) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        emulator.control("POST", "/roles", {"role": "Owner"})
    assert "`role`" in json.load(refused.value)["error"]["message"]
