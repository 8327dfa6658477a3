// A client that sends bytes, and reads the answers.

import { connect } from "node:net";
import { type Message, read } from "./messages.js";

/** What a client sends. */
export interface Sent {
  /** Written one after another; a number is a pause in milliseconds. */
  send: readonly (string | number)[];
  /** How many answers are waited for; then the client closes. Default: until the gateway closes. */
  answers?: number;
  /** Whether the client ends its half of the connection when it has sent all. */
  ends?: boolean;
}

/** What comes back. */
export interface Received {
  answers: Message[];
  /** Bytes that are no answer. */
  rest: string;
  /** Whether the gateway closed the connection. */
  closed: boolean;
}

/** A gateway that neither answers nor closes is at fault. */
const LATE_MS = 5_000;

const METHODS = /^(\S+) \S.* HTTP\/1\.\d\r$/gm;

export function talk(port: number, { send, answers: wanted, ends = false }: Sent): Promise<Received> {
  const text = send.filter((piece) => typeof piece === "string").join("");
  const methods = [...text.matchAll(METHODS)].map(([, method]) => method);
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    let bytes = "";
    const parse = (isOver: boolean): Pick<Received, "answers" | "rest"> => {
      const answers: Message[] = [];
      let finals = 0;
      let rest = bytes;
      while (rest !== "") {
        const found = read(rest, { isAnswer: true, bodyless: methods[finals] === "HEAD", isOver });
        if (found === undefined) break;
        answers.push(found.message);
        if (!/^\S+ 1/.test(found.message.line)) finals += 1;
        rest = found.rest;
      }
      return { answers, rest };
    };
    const finish = (closed: boolean) => {
      clearTimeout(late);
      socket.destroy();
      resolve({ ...parse(closed), closed });
    };
    const late = setTimeout(() => finish(false), LATE_MS);
    socket.on("error", () => {});
    socket.on("close", () => finish(true));
    socket.on("end", () => finish(true));
    socket.on("data", (chunk) => {
      bytes += chunk.toString("latin1");
      if (wanted === undefined) return;
      const finals = parse(false).answers.filter(({ line, whole }) => whole && !/^\S+ 1/.test(line));
      if (finals.length >= wanted) finish(false);
    });
    const write = async () => {
      for (const piece of send) {
        if (typeof piece === "number") await new Promise((done) => setTimeout(done, piece));
        else socket.write(piece, "latin1");
      }
      if (ends) socket.end();
    };
    void write();
  });
}
