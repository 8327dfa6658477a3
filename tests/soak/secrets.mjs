// Looks for tokens and secrets in everything that is written. The tokens are read from the wire, at
// Azure's edge.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

/** This much of a secret is recognised; a shorter part could not be used. */
const MARK = 24;
const CHUNK_BYTES = 1 << 20;

/** Knows the secrets and where they were found. It never shows one. */
export class SecretWatch {
  /** Prefixes of secrets, looked up word by word. */
  #marks = new Map();
  /** The few prefixes that all tokens share, and whole secrets: found anywhere in a text. */
  #anywhere = new Map();
  #tokens = 0;
  found = new Map();
  texts = 0;
  #stops = [];

  get tokens() {
    return this.#tokens;
  }

  /** Adds a secret that must not show up anywhere. */
  plant(what, secret) {
    this.#anywhere.set(secret.slice(0, MARK), what);
  }

  /** Adds a token's parts: the first two begin alike in all tokens, the signature is unique. */
  learn(token) {
    this.#tokens += 1;
    const [header, payload, signature] = token.split(".");
    this.#anywhere.set(header.slice(0, MARK), "a token's header");
    this.#anywhere.set(payload.slice(0, MARK), "a token's claims");
    this.#marks.set(signature.slice(0, MARK), "a token's signature");
  }

  look(text, where) {
    this.texts += 1;
    for (const [mark, what] of this.#anywhere) if (text.includes(mark)) this.#report(what, where);
    for (const [word] of text.matchAll(/[\w-]{24,}/g)) {
      const what = this.#marks.get(word.slice(0, MARK));
      if (what) this.#report(what, where);
    }
  }

  #report(what, where) {
    const finding = `${what} in ${where}`;
    this.found.set(finding, (this.found.get(finding) ?? 0) + 1);
  }

  /** Learns every token that a server of this process answers with. */
  learnFrom(port) {
    const onRequest = ({ response, socket }) => {
      if (socket.localPort !== port) return;
      const { write, end } = response;
      const read = (chunk) => {
        const text =
          typeof chunk === "string" ? chunk : chunk?.byteLength ? Buffer.from(chunk).toString() : "";
        const token = /"access_token":"([^"]+)"/.exec(text)?.[1];
        if (token) this.learn(token);
      };
      response.write = (chunk, ...rest) => {
        read(chunk);
        return write.call(response, chunk, ...rest);
      };
      response.end = (chunk, ...rest) => {
        read(chunk);
        return end.call(response, chunk, ...rest);
      };
    };
    subscribe("http.server.request.start", onRequest);
    this.#stops.push(() => unsubscribe("http.server.request.start", onRequest));
  }

  /** Reads everything that this process prints. */
  readAlong(stream, where) {
    const { write } = stream;
    stream.write = (chunk, ...rest) => {
      this.look(String(chunk), where);
      return write.call(stream, chunk, ...rest);
    };
    this.#stops.push(() => {
      stream.write = write;
    });
  }

  /** Reads every file below a folder; returns the number of bytes. */
  lookThrough(folder) {
    let bytes = 0;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      bytes += this.#lookInto(join(entry.parentPath, entry.name), entry.name);
    }
    return bytes;
  }

  #lookInto(path, name) {
    const file = openSync(path, "r");
    const buffer = Buffer.alloc(CHUNK_BYTES);
    let rest = "";
    let bytes = 0;
    try {
      for (;;) {
        const read = readSync(file, buffer, 0, CHUNK_BYTES, null);
        if (read === 0) return bytes;
        bytes += read;
        const text = rest + buffer.toString("latin1", 0, read);
        this.look(text, `the runtime's ${name}`);
        rest = text.slice(-4 * MARK);
      }
    } finally {
      closeSync(file);
    }
  }

  stop() {
    for (const stop of this.#stops) stop();
  }
}
