"""Starts the emulator of this repository, and finds the Copilot runtime that npm installed."""

from __future__ import annotations

import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# For the app's tests, which the guide prints: here nobody installed the package.
os.environ.setdefault("EMULATOR_COMMAND", shlex.join(["node", str(ROOT / "dist/cli.cjs"), "emulator", "--json"]))


@dataclass(frozen=True)
class Counts:
    identity: int
    model: int
    unauthorized: int


class Emulator:
    """Runs `copilot-keyless emulator` and sets its variables in this process."""

    def __init__(self, lifetime_seconds: int) -> None:
        command = ["node", str(ROOT / "dist/cli.cjs"), "emulator", "--json"]
        # The tests replace tokens more often than Azure's platform does.
        command.append("--no-platform-cache")
        self._process = subprocess.Popen(
            [*command, "--token-lifetime", str(lifetime_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.env: dict[str, str] = json.loads(self._process.stdout.readline())

    def stop(self) -> Counts:
        """Ends the emulator and returns its counts."""
        self._process.send_signal(signal.SIGINT)
        _, told = self._process.communicate(timeout=20)
        found = re.search(r"(\d+) token requests, (\d+) model requests, (\d+) of them unauthorized", told)
        assert found is not None, told
        return Counts(*map(int, found.groups()))

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def runtime() -> Path | None:
    """Returns the Copilot runtime that npm installed. Without one, the SDK downloads it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = f"{sys.platform}-{machine}"
    found = ROOT / f"node_modules/@github/copilot-sdk-{system}/prebuilds/{system}/copilot-runtime"
    return found if found.exists() else None


@pytest.fixture
def emulator(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Emulator]:
    started = Emulator(getattr(request, "param", 3600))
    # Ignore this machine's own identity.
    for name in os.environ:
        if name.startswith(("AZURE_", "FOUNDRY_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    found = runtime()
    if found is not None:
        monkeypatch.setenv("COPILOT_CLI_PATH", str(found))
    monkeypatch.setenv("COPILOT_HOME", str(tmp_path))
    for name, value in started.env.items():
        monkeypatch.setenv(name, value)
    yield started
    started.kill()
