// Faults of the process and its machine. Linux only, because it finds the runtimes in /proc.

import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { descendantsOf, runs } from "../../tests/support/processes.mjs";

/** How long a program may take to end after Ctrl-C, and its runtimes after it. */
const END_MS = 2_000;
const MID_TURN_MS = 500;

/**
 * A small disk in a mount namespace that ends with the program; without root where users may create
 * namespaces.
 */
const DISK_MB = 24;
const SMALL_DISK = [
  "unshare",
  process.getuid?.() === 0 ? "-m" : "-Urm",
  "sh",
  "-c",
  `mkdir -p "$COPILOT_HOME" && mount -t tmpfs -o size=${DISK_MB}m tmpfs "$COPILOT_HOME" && exec "$@"`,
  "sh",
];

export const PROCESS = [
  {
    id: "no-home",
    title: "no home folder",
    // Nobody can create a folder in /proc, not even root.
    env: {
      HOME: "/dev/null/home",
      COPILOT_HOME: undefined,
      XDG_STATE_HOME: undefined,
      XDG_CONFIG_HOME: undefined,
    },
    script: async (cell) => {
      await cell.call(/home|folder|director|\.copilot/i, /writ|creat|ENOENT|ENOTDIR|EACCES|cannot/i);
    },
  },
  {
    id: "full-disk",
    title: "disk full",
    command: SMALL_DISK,
    skipped: () =>
      canMount() ? undefined : "no small disk can be made here: neither root nor user namespaces",
    script: async (cell) => {
      const cause = [/home|disk|space|ENOSPC|write/i];
      await cell.disk("fill");
      await cell.call(...cause);
      await cell.disk("empty");
      await cell.call();
      await cell.disk("fill");
      await cell.call(...cause);
      await cell.disk("empty");
      await cell.call();
    },
  },
  {
    id: "ctrl-c",
    title: "Ctrl-C during a turn",
    script: async (cell) => {
      await cell.call();
      cell.fault({ server: "foundry", kind: "hang" });
      cell.begin();
      await sleep(MID_TURN_MS);
      const below = descendantsOf(cell.pid);
      cell.signal("SIGINT");
      const ended = await cell.endsWithin(END_MS);
      if (ended === undefined) cell.find(`still running ${END_MS} ms after Ctrl-C`);
      else if (ended !== "SIGINT" && ended !== "exit code 130") cell.find(`ended with ${ended} after Ctrl-C`);
      await sleep(END_MS);
      const left = below.filter(runs).length;
      if (left > 0) cell.find(`${left} processes left behind`);
    },
  },
  {
    id: "runtime-killed",
    title: "Copilot runtime killed during a turn",
    script: async (cell) => {
      await cell.call();
      const slow = cell.fault({ server: "foundry", kind: "delay", delayMs: 3_000 });
      const during = cell.call(/runtime|process/i, /end|exit|kill|die|gone|clos/i);
      await sleep(MID_TURN_MS);
      for (const pid of cell.runtimes()) process.kill(pid, "SIGKILL");
      await during;
      slow.remove();
      await cell.call();
    },
  },
].map((fault) => ({ group: "process", ...fault }));

let mounts;

function canMount() {
  const [command, ...args] = SMALL_DISK;
  mounts ??=
    spawnSync(command, [...args, "true"], { env: { ...process.env, COPILOT_HOME: "/tmp" } }).status === 0;
  return mounts;
}
