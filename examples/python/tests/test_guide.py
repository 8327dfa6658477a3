"""Follows docs/guides/python.md word by word, and checks the printed programs and snippets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Emulator

PAGE = (ROOT / "docs/guides/python.md").read_text()
REPLY = 'You said: "Say hello in one sentence."'

# Commands of the page that do not run here, and why.
SKIPPED = {
    "npx copilot-keyless emulator": "runs as a fixture",
    "python3 -m venv .venv": "pip and python are those of the environment of this test",
    ". .venv/bin/activate": "pip and python are those of the environment of this test",
    "az login": "needs Azure",
    "npm run tool component": "did so before this test",
    "pip install -e examples/python": "did so before this test",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def cli(*args: str) -> str:
    command = ["node", str(ROOT / "dist/cli.cjs"), *args]
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def python(*args: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *args], cwd=cwd, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", [block for block in blocks("sh") if "app.py" in block])
def test_the_commands_of_the_guide(block: str, emulator: Emulator, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    # `npx copilot-keyless` without a release on npm.
    (tools / "npx").write_text(f'#!/bin/sh\nshift\nexec node "{ROOT}/dist/cli.cjs" "$@"\n')
    (tools / "npx").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    # The resource of the page is the emulator's.
    commands = [
        command.replace("myres.openai.azure.com", emulator.env["FOUNDRY_RESOURCE_URL"])
        for command in block.splitlines()
        if command not in SKIPPED and not command.startswith("export ")
    ]
    script = "\n".join(["set -e", *commands])
    env = {**os.environ, "PATH": path, "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=env, text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert REPLY in done.stdout
    counts = emulator.stop()
    assert (counts.identity, counts.unauthorized) == (1, 0)


def test_the_programs_of_the_guide(emulator: Emulator, tmp_path: Path) -> None:
    (program,) = blocks("python")
    (tmp_path / "app.py").write_text(program)
    assert REPLY in python("app.py", cwd=tmp_path)


def test_the_install_line_is_the_one_of_the_guide() -> None:
    line = cli("config", "--endpoint", "myres.openai.azure.com", "--format", "python").splitlines()[0]
    assert line.removeprefix("# Install: ") in PAGE


def test_printed_code_is_formatted_and_typed(tmp_path: Path) -> None:
    options = [
        [],
        ["--deployment", "team-gpt"],
        ["--model", "m" * 80, "--deployment", "d" * 128, "--scope", f"api://{'s' * 60}/.default"],
    ]
    for number, names in enumerate(options):
        given = ["config", "--endpoint", "myres.openai.azure.com", *names, "--format", "python"]
        (tmp_path / f"program{number}.py").write_text(cli(*given))
        (tmp_path / f"snippet{number}.py").write_text(cli(*given, "--snippet"))
    files = sorted(file.name for file in tmp_path.iterdir())
    assert len(files) == 6
    python("-m", "ruff", "format", "--isolated", "--check", *files, cwd=tmp_path)
    python("-m", "ruff", "check", "--isolated", "--select", "E4,E7,E9,F,I", *files, cwd=tmp_path)
    # The types of the SDK take a minute; the check of this package has read them.
    cache = str(ROOT / "examples/python/.mypy_cache")
    python("-m", "mypy", "--strict", "--cache-dir", cache, *files, cwd=tmp_path)
