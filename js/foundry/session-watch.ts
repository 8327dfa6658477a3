import type { CopilotSession, MessageOptions } from "@github/copilot-sdk";
import { KeylessError } from "../errors/keyless-error.js";
import { diagnose } from "../model/diagnose.js";
import { diagnosisError } from "../model/model-error.js";
import { rejectedTokenFromCache } from "../tokens/provider.js";
import type { TokenProvider } from "../tokens/types.js";
import type { FailedRequest } from "../wasm/diagnosis.js";
import type { Endpoint } from "../wasm/provider.js";

/** The event that tells of a failed request to the model; a part of the Copilot SDK's. */
export interface ModelCallFailure {
  data: { statusCode?: number | undefined; errorMessage?: string | undefined };
  /** The sub-agent whose request it was. */
  agentId?: string | undefined;
}

/** What is known of a watched session. */
interface Watched {
  /** The last token that it was given: what a 401 rejects. */
  token: string;
  /** Why it was given none, the last time. */
  refused: KeylessError | undefined;
  /** Whether that became the answer to a request, whose status is made up then. */
  answered: boolean;
  /** Why its last request failed. */
  failure: KeylessError | undefined;
  /** The token that was rejected, if no request has succeeded since. */
  rejected: string | undefined;
  /** The token that was rejected twice in a row: it is not tried again in this turn. */
  dead: string | undefined;
  watchers: number;
}

/** One call of `watch`. */
interface Watcher {
  watched: Watched;
  /** What the error said with which the session ended its turn. */
  ended: string | undefined;
  stop: () => void;
}

/** What every request of a provider has in common. */
type About = Pick<FailedRequest, "deployment" | "wireApi"> & { endpoint: Endpoint };

/** The watched sessions, by whose tokens they use. */
const watchedBy = new WeakMap<TokenProvider, Map<string, Watched>>();

/** A request of a session got no token and was answered with the reason, in the resource's place. */
export function noteRefusal(tokens: TokenProvider, sessionId: string | undefined, error: KeylessError): void {
  const watched = sessionId === undefined ? undefined : watchedBy.get(tokens)?.get(sessionId);
  if (watched) Object.assign(watched, { refused: error, answered: true });
}

/** The watched sessions of one provider. */
export class SessionWatch {
  readonly #sessions: Map<string, Watched>;
  readonly #tokens: TokenProvider;
  readonly #about: About;
  /** The last static token. */
  #given = "";

  constructor(tokens: TokenProvider, about: About) {
    this.#tokens = tokens;
    this.#about = about;
    this.#sessions = watchedBy.get(tokens) ?? new Map();
    watchedBy.set(tokens, this.#sessions);
  }

  /** Notes the token that a session gets, or why it gets none. */
  async noting(sessionId: string | undefined, token: () => Promise<string>): Promise<string> {
    const watched = sessionId === undefined ? undefined : this.#sessions.get(sessionId);
    try {
      const given = await this.#orOnceMore(token, watched?.dead);
      if (!watched) return given;
      watched.token = given;
      Object.assign(watched, { refused: undefined, answered: false });
      return given;
    } catch (error) {
      const refused = error instanceof KeylessError ? error : undefined;
      if (watched) Object.assign(watched, { refused, answered: false });
      throw error;
    }
  }

  /**
   * A rejected token is all that a credential with a cache of its own may have. The resource may have been wrong about it, and only
   * one more request can tell.
   */
  async #orOnceMore(token: () => Promise<string>, dead: string | undefined): Promise<string> {
    try {
      return await token();
    } catch (error) {
      const refused = error instanceof KeylessError && error.code === "token/rejected-again";
      const again = refused ? rejectedTokenFromCache(this.#tokens) : undefined;
      if (again === undefined || again === dead) throw error;
      return again;
    }
  }

  /** Notes a token that was given out for good: to a session, or to the one that will be watched next. */
  gave(token: string | undefined, sessionId?: string): void {
    const watched = sessionId === undefined ? undefined : this.#sessions.get(sessionId);
    if (watched) watched.token = token ?? "";
    else this.#given = token ?? "";
  }

  explain({ statusCode, errorMessage }: ModelCallFailure["data"], sessionId?: string): KeylessError {
    const watched = sessionId === undefined ? undefined : this.#sessions.get(sessionId);
    return this.#read(statusCode, errorMessage, watched).error;
  }

  watch(
    session: CopilotSession,
    onFailure: (error: KeylessError, event: ModelCallFailure) => void,
  ): () => void {
    const { sessionId } = session;
    const watched = this.#sessions.get(sessionId) ?? this.#begin(sessionId);
    watched.watchers += 1;
    let watching = true;
    const stop = () => {
      if (!watching) return;
      watching = false;
      for (const undo of undoing) undo();
      watched.watchers -= 1;
      if (watched.watchers === 0) this.#sessions.delete(sessionId);
    };
    const watcher: Watcher = { watched, ended: undefined, stop };
    const leave = join(session, watcher);
    const undoing = [
      leave,
      session.on("model.call_failure", (event) => {
        const { error, tokenRejected } = this.#read(event.data.statusCode, event.data.errorMessage, watched);
        // Sub-agents speak to their parent: what becomes of the turn is not decided by their failures.
        if (event.agentId === undefined) watched.failure = error;
        if (tokenRejected && watched.token) {
          if (watched.token === watched.rejected) watched.dead = watched.token;
          watched.rejected = watched.token;
          this.#tokens.invalidate(watched.token);
        }
        onFailure(error, event);
      }),
      session.on("user.message", ({ agentId }) => {
        // A new turn: the resource may have come to another opinion.
        if (agentId === undefined) watched.dead = undefined;
      }),
      session.on("assistant.message", ({ agentId }) => {
        watched.rejected = undefined;
        if (agentId === undefined) watched.failure = undefined;
      }),
      session.on("session.error", ({ data }) => {
        watcher.ended = data.message;
      }),
      // Nobody need stop what has ended by itself.
      session.on("session.shutdown", ({ agentId }) => {
        if (agentId === undefined) stop();
      }),
    ];
    return stop;
  }

  #begin(sessionId: string): Watched {
    const watched: Watched = {
      token: this.#given,
      refused: undefined,
      answered: false,
      failure: undefined,
      rejected: undefined,
      dead: undefined,
      watchers: 0,
    };
    this.#sessions.set(sessionId, watched);
    return watched;
  }

  #read(
    status: number | undefined,
    said: string | undefined,
    watched: Watched | undefined,
  ): { error: KeylessError; tokenRejected: boolean } {
    // Without a status nothing was sent. If that is because there was no token, the runtime only retells it.
    if (watched?.refused && (status === undefined || watched.answered)) {
      const { refused, failure } = watched;
      // That the same token came again tells less than why the resource rejected it.
      const error = refused.code === "token/rejected-again" ? (failure ?? refused) : refused;
      return { error, tokenRejected: false };
    }
    const diagnosis = diagnose({
      ...this.#about,
      status: status ?? 0,
      body: said,
      token: watched?.token || undefined,
    });
    return { error: diagnosisError(diagnosis), tokenRejected: diagnosis.tokenRejected };
  }
}

/** A `sendAndWait` and a `disconnect` in the place of a session's own, and who watches by them. */
interface Replacement {
  watchers: Set<Watcher>;
  /** Gives the session its own back. */
  restore: () => void;
}

const replacements = new WeakMap<CopilotSession["sendAndWait"], Replacement>();

/** All watchers of a session share one replacement, so that they may leave in any order. Returns the way to leave. */
function join(session: CopilotSession, watcher: Watcher): () => void {
  const { watchers, restore } = replacements.get(session.sendAndWait) ?? replace(session);
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) restore();
  };
}

/**
 * Makes `sendAndWait` of a session reject with the reason of a failed turn, not with the runtime's advice about API keys; and
 * `disconnect` end the watch: the event that tells of the end may come when the session listens no more.
 */
function replace(session: CopilotSession): Replacement {
  const original = session.sendAndWait;
  const own = Object.hasOwn(session, "sendAndWait");
  const { disconnect } = session;
  const ownDisconnect = Object.hasOwn(session, "disconnect");
  const watchers = new Set<Watcher>();
  const diagnosed: typeof original = async (prompt, timeout) => {
    for (const watcher of watchers) forget(watcher);
    try {
      return await original.call(session, prompt as MessageOptions, timeout);
    } catch (cause) {
      // Other errors, such as that of the caller's own timeout, say themselves what they are.
      const said = cause instanceof Error ? cause.message : undefined;
      const failed = [...watchers].filter(({ ended }) => ended !== undefined && ended === said);
      const failure = failed.findLast(({ watched }) => watched.failure)?.watched.failure;
      if (!failure) throw cause;
      const { code, message, hint, status, retryAfterMs } = failure;
      throw new KeylessError(code, message, { hint, status, retryAfterMs, cause });
    }
  };
  session.sendAndWait = diagnosed;
  const ending: typeof disconnect = async () => {
    try {
      await disconnect.call(session);
    } finally {
      for (const { stop } of [...watchers]) stop();
    }
  };
  session.disconnect = ending;
  // Somebody may have wrapped one of them since: without watchers they do nothing of their own.
  const restore = () => {
    if (session.sendAndWait === diagnosed) {
      if (own) session.sendAndWait = original;
      else Reflect.deleteProperty(session, "sendAndWait");
    }
    if (session.disconnect === ending) {
      if (ownDisconnect) session.disconnect = disconnect;
      else Reflect.deleteProperty(session, "disconnect");
    }
  };
  const replacement = { watchers, restore };
  replacements.set(diagnosed, replacement);
  return replacement;
}

/** A new turn begins. */
function forget(watcher: Watcher): void {
  watcher.ended = undefined;
  watcher.watched.failure = undefined;
}
