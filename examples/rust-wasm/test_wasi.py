"""Lets the component keep a token in Wasmtime, against the emulator of this repository."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target"))
COMPONENT = TARGET / "wasm32-wasip2/debug/wasi.wasm"
EMULATOR = ["node", str(HERE.parents[1] / "dist/cli.cjs"), "emulator", "--json", "--no-platform-cache"]


def test_a_component_keeps_its_token_fresh() -> None:
    with subprocess.Popen(
        [*EMULATOR, "--token-lifetime", "4"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as emulator:
        env = json.loads(emulator.stdout.readline())
        command = [sys.executable, str(HERE / "run.py"), str(COMPONENT), "8"]
        done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, timeout=60)
        emulator.send_signal(signal.SIGINT)
        _, told = emulator.communicate(timeout=20)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8
    assert all(re.fullmatch(r"a token of \d+ characters", line) for line in lines), lines
    # One at the start, then one for each half life.
    assert 3 <= int(re.search(r"(\d+) token requests", told)[1]) <= 5
