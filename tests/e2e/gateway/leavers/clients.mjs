// Clients that leave at odd moments.

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A request's bytes: its head, and its body. */
function bytesOf({ path = "/openai/v1/responses", headers = [], body = "{}", length = body.length, key }) {
  const all = ["host: 127.0.0.1", `api-key: ${key}`, `content-length: ${length}`, ...headers];
  return `POST ${path} HTTP/1.1\r\n${all.join("\r\n")}\r\n\r\n${body}`;
}

/** How a client behaves on its connection, by name. `random` gives a number in 0..1. */
const MANNERS = {
  // Until the answer has come, or nothing more.
  stays: async ({ socket, one }) => {
    socket.write(one());
    await Promise.race([once(socket, "close"), quiet(socket, 300)]);
  },
  leaves: async ({ socket, one, random }) => {
    socket.write(one());
    await sleep(random() * 25);
  },
  "resets the connection": async ({ socket, one, random }) => {
    socket.write(one());
    await sleep(random() * 10);
    socket.resetAndDestroy();
  },
  "leaves within the body": async ({ socket, one, random }) => {
    socket.write(one({ length: 5_000 }));
    await sleep(random() * 20);
  },
  "leaves within a long body": async ({ socket, one, random }) => {
    socket.write(one({ body: "x".repeat(500_000), length: 30_000_000 }));
    await sleep(random() * 30);
  },
  "sends a long body": async ({ socket, one, random }) => {
    socket.write(one({ body: "x".repeat(1_000_000) }));
    await Promise.race([once(socket, "close"), quiet(socket, 100 + random() * 100)]);
  },
  "closes its half": async ({ socket, one, random }) => {
    socket.end(one());
    await sleep(random() * 40);
  },
  "reads nothing": async ({ socket, one, random }) => {
    socket.pause().write(one());
    await sleep(random() * 60);
  },
  "sends several at once": async ({ socket, one, random }) => {
    socket.write(one() + one() + one());
    await sleep(random() * 40);
  },
  "expects to continue": async ({ socket, one, random }) => {
    socket.write(one({ headers: ["expect: 100-continue"], body: "", length: 2 }));
    await sleep(random() * 10);
    socket.write("{}");
    await sleep(random() * 20);
  },
  "sends one after another": async ({ socket, one, random }) => {
    for (let count = 0; count < 3 && !socket.destroyed; count += 1) {
      socket.write(one());
      await sleep(random() * 15);
    }
  },
};

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

/** Resolves when nothing has come for so many milliseconds. */
function quiet(socket, ms) {
  return new Promise((resolve) => {
    let timer = setTimeout(resolve, ms);
    socket.on("data", () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, 20);
    });
  });
}

/** Connects, sends and leaves, so often. Never rejects. */
export async function leave({ port, key, ways, count, random: { pick, chance, whole } }) {
  const random = () => whole(0, 1e6) / 1e6;
  for (let index = 0; index < count; index += 1) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    const one = (more) => {
      const headers = [
        `x-way: ${pick(ways)}`,
        ...(chance(0.15) ? ["x-early: 1"] : []),
        ...(chance(0.25) ? [`x-once: ${whole(0, 1e9)}`] : []),
      ];
      return bytesOf({ key, ...more, headers: [...headers, ...(more?.headers ?? [])] });
    };
    await MANNERS[pick(Object.keys(MANNERS))]({ socket, one, random });
    socket.destroy();
  }
}

/** Asks for something, and stays until the gateway closes the connection. */
export function stay({ port, key, way }) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume().write(bytesOf({ key, headers: [`x-way: ${way}`] }));
  return once(socket, "close");
}
