import type { GatewayRefusalCode } from "../errors/codes.js";
import { createFoundryProvider, type FoundryProvider } from "../foundry/provider.js";
import { systemClock } from "../platform/clock.js";
import { gatewayModule } from "../wasm/gateway-bindings.js";
import type { AnswerReader, Pool, Gateway as Rules, Wanted } from "../wasm/modules/gateway.js";
import { type Admission, admit, type Forward, type Incoming } from "./admission.js";
import { toText } from "./header-text.js";
import type { BackendSettings, Settings } from "./options.js";
import { ResourceTokens } from "./token.js";
import { Upstream } from "./upstream.js";

/** A resource behind the gateway. */
export interface Backend {
  readonly name: string;
  readonly provider: FoundryProvider;
  readonly tokens: ResourceTokens;
  readonly upstream: Upstream;
  readonly rules: Rules;
  /** Headers of the options, which every request gets. */
  readonly headers: readonly string[];
}

/** The backends of a gateway, by one configuration. Closed when the last request has ended. */
export class Backends {
  readonly all: readonly Backend[];
  /** Chooses, where there are several. */
  readonly pool: Pool | undefined;
  #users = 0;
  #isRetired = false;

  /** Throws the errors of `createFoundryProvider`. */
  constructor(settings: Settings) {
    const { Gateway: Rules, Pool } = gatewayModule();
    const { key, allowHosts, allowOrigins, limits } = settings;
    const all: Backend[] = [];
    try {
      for (const { name, provider: options, firstByteMs = limits.firstByteMs } of settings.backends) {
        const provider = createFoundryProvider(options);
        const { baseUrl } = provider.endpoint;
        all.push({
          name: name ?? new URL(baseUrl).host,
          provider,
          tokens: new ResourceTokens(provider),
          upstream: new Upstream(baseUrl, { ...limits, firstByteMs }),
          rules: new Rules(baseUrl, key, allowHosts, allowOrigins),
          headers: Object.entries(provider.config.headers ?? {}).flat(),
        });
      }
    } catch (error) {
      for (const { provider } of all) provider.close();
      throw error;
    }
    this.all = all;
    if (all.length > 1) this.pool = poolOf(Pool, settings.backends, all);
  }

  get first(): Backend {
    return this.all[0] as Backend;
  }

  /**
   * Checks a request and finds its route, in the first backend that has its path. The other checks
   * are the same for all.
   */
  admit(request: Incoming): Admission {
    let admission = admit(this.first.rules, request);
    for (let at = 1; at < this.all.length; at += 1) {
      if (admission.kind !== "refuse" || admission.code !== "gateway/unknown-path") break;
      admission = admit((this.all[at] as Backend).rules, request);
    }
    return admission;
  }

  /** Takes over the conversations and pauses of backends that were there before. */
  adopt(before: Backends): void {
    if (before.pool) this.pool?.adopt(before.pool);
  }

  /** The backends as they are now. */
  states(): { name: string; provider: FoundryProvider; pausedMs: number }[] {
    const now = systemClock.monotonic();
    return this.all.map(({ name, provider }, at) => ({
      name,
      provider,
      pausedMs: this.pool?.pausedMs(at, now) ?? 0,
    }));
  }

  /** Notes that a request uses them. */
  enter(): void {
    this.#users += 1;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#isRetired && this.#users === 0) this.close();
  }

  /** Closes them when no request uses them any more. */
  retire(): void {
    this.#isRetired = true;
    if (this.#users === 0) this.close();
  }

  close(): void {
    for (const { upstream, provider } of this.all) {
      upstream.close();
      provider.close();
    }
  }
}

function poolOf(create: typeof Pool, settings: readonly BackendSettings[], all: readonly Backend[]): Pool {
  return new create(
    all.map(({ provider }) => new URL(provider.endpoint.baseUrl).host),
    settings.map(({ models }) => models.join("\n")),
    Uint32Array.from(settings, ({ priority }) => priority),
    Uint32Array.from(settings, ({ weight }) => weight),
  );
}

/** An answer of no status: why there is none. */
export const NO_ANSWER = { broke: 0, unreachable: -1, left: -2 } as const;

/** A request to a backend that failed, and was sent to another one. */
export interface FailedAttempt {
  backend: string;
  /** The status of its answer; 0 if there was none. */
  status: number;
}

/** The backends that one request asks, one after another. */
export class Attempts {
  readonly failed: FailedAttempt[] = [];
  /** The model that the request names. */
  readonly model: string | undefined;
  /** Whether the answer has ids to remember: it must not be compressed. */
  readonly makesIds: boolean;
  readonly #pool: Pool;
  readonly #backends: readonly Backend[];
  readonly #forwards: readonly (Forward | undefined)[];
  readonly #wanted: Wanted;
  readonly #repeatable: boolean;
  readonly #isSafe: boolean;
  /** The positions of backends that lack the path or were asked. */
  readonly #excluded: number[];
  #current = -1;
  #sent = 0;
  #reader: AnswerReader | undefined;
  #isOver = false;

  /** `body`: as far as it is there, decompressed; `isWhole`: whether that is all. */
  constructor(
    { all }: Backends,
    pool: Pool,
    request: Incoming,
    { body, isWhole, isTurn }: { body: Uint8Array; isWhole: boolean; isTurn: boolean },
  ) {
    this.#pool = pool;
    this.#backends = all;
    this.#wanted = new (gatewayModule().Wanted)(request.target, body);
    this.model = this.#wanted.model();
    this.makesIds = this.#wanted.makesIds();
    this.#repeatable = isWhole;
    this.#isSafe = isTurn || request.method === "GET" || request.method === "HEAD";
    this.#forwards = all.map((backend) => {
      const admission = admit(backend.rules, request);
      return admission.kind === "forward" ? admission : undefined;
    });
    this.#excluded = [...all.keys()].filter((at) => this.#forwards[at] === undefined);
  }

  get backend(): Backend {
    return this.#backends[this.#current] as Backend;
  }

  get forward(): Forward {
    return this.#forwards[this.#current] as Forward;
  }

  /** Chooses the first backend. Returns why there is none. */
  start(): { refusal: GatewayRefusalCode; retryAfterMs?: number } | undefined {
    const [kind, ms] = this.#choose(true);
    switch (kind) {
      case "ask":
        return undefined;
      case "wait":
        return { refusal: "gateway/quota", retryAfterMs: ms };
      case "unknown-model":
        return { refusal: "gateway/unknown-model" };
      case "exhausted":
        return { refusal: "gateway/unknown-path" };
    }
  }

  /**
   * Notes the status of an answer, or {@link NO_ANSWER}. Returns true if another backend is to be
   * asked, which is the current one then. Otherwise the answer is the client's.
   */
  report(status: number, rawHeaders: readonly string[] = []): boolean {
    if (this.#isOver) return false;
    const asksNext = this.#pool.report(
      this.#current,
      this.#wanted,
      status,
      toText(rawHeaders),
      this.#repeatable,
      this.#isSafe,
      this.#sent,
      systemClock.monotonic(),
      systemClock.now(),
      systemClock.random(),
    );
    if (!asksNext) return false;
    const last = this.#current;
    this.#excluded.push(last);
    if (this.#choose(false)[0] !== "ask") return false;
    this.#pool.finish(last);
    this.failed.push({ backend: (this.#backends[last] as Backend).name, status: Math.max(0, status) });
    return true;
  }

  /** Remembers the ids in a piece of the answer. */
  read(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#reader ??= new (gatewayModule().AnswerReader)();
    this.#pool.readAnswer(this.#current, this.#reader, chunk);
  }

  /** Notes that the request is over. Nothing is noted after it. */
  end(): void {
    this.#isOver = true;
    if (this.#current >= 0) this.#pool.finish(this.#current);
    this.#wanted.free();
    this.#reader?.free();
  }

  #choose(isFirst: boolean) {
    const now = systemClock.monotonic();
    const excluded = Uint32Array.from(this.#excluded);
    const choice = this.#pool.choose(this.#wanted, excluded, isFirst, now, systemClock.random());
    if (choice[0] === "ask") {
      this.#current = choice[1];
      this.#sent = now;
    }
    return choice;
  }
}
