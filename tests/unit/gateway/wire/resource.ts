// A resource that records what reaches it, and answers with bytes.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Message, read } from "./messages.js";

/** What the resource does with a request. */
export interface Play {
  /** Written as they are, one after another; a number is a pause in milliseconds. */
  send: readonly (string | number)[];
  /** What becomes of the connection then. Default: it stays. */
  ending?: "end" | "reset";
  /** Whether the answer comes with the head of the request, before its body. */
  early?: boolean;
}

/** The bytes of an answer whose length is known. */
export const plain = (line: string, headers: readonly string[] = [], body = "ok"): string =>
  [`HTTP/1.1 ${line}`, ...headers, `Content-Length: ${body.length}`, "", body].join("\r\n");

export const OK: Play = { send: [plain("200 OK", ["Content-Type: text/plain"])] };

export class Resource {
  /** The requests that have arrived. */
  readonly reached: Message[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#serve(socket));
  /** What is done with the next requests; the last goes on. */
  #plays: readonly Play[] = [OK];
  #asked = 0;

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/openai/v1/`;
  }

  /** Begins anew. Waits until the gateway has closed its connections, so that none is used again. */
  async play(plays: readonly Play[]): Promise<void> {
    const closed = [...this.#sockets].map((socket) => {
      const isClosed = once(socket, "close");
      socket.end();
      // One that waits for a request's end is not closed by its peer.
      const late = setTimeout(() => socket.destroy(), 200);
      return isClosed.finally(() => clearTimeout(late));
    });
    await Promise.all(closed);
    this.reached.length = 0;
    this.#plays = plays;
    this.#asked = 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    let bytes = "";
    let current: Message | undefined;
    let waiting: Play | undefined;
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk) => {
      bytes += chunk.toString("latin1");
      for (let found = read(bytes); found !== undefined; found = read(bytes)) {
        const { message, rest } = found;
        const isNew = current === undefined;
        if (current === undefined) this.reached.push(message);
        else Object.assign(current, message);
        current ??= message;
        const play = isNew ? this.#plays[Math.min(this.#asked++, this.#plays.length - 1)] : undefined;
        if (play?.early) void this.#answer(socket, play);
        if (play && !play.early) waiting = play;
        if (!message.whole) return;
        bytes = rest;
        current = undefined;
        if (waiting !== undefined) void this.#answer(socket, waiting);
        waiting = undefined;
      }
    });
  }

  async #answer(socket: Socket, { send, ending }: Play): Promise<void> {
    for (const piece of send) {
      if (typeof piece === "number") await new Promise((resolve) => setTimeout(resolve, piece));
      else if (socket.writable) await new Promise((resolve) => socket.write(piece, "latin1", resolve));
    }
    if (ending === "end") socket.end();
    if (ending === "reset") socket.resetAndDestroy();
  }
}
