import type { TurnOutcome } from "../http/contract.js";
import { chatError, problem } from "../http/problem.js";

/** An invocation, as `GET /invocations/{id}` reports it. */
export interface InvocationState {
  invocation_id: string;
  session_id: string;
  status: "running" | "completed" | "failed" | "cancelled";
  /** The last message of the turn, once it is complete. */
  output?: string;
  /** Why it failed: the problem that its caller got. */
  error?: object;
}

/** A running or ended invocation of a caller. */
export interface Invocation {
  readonly caller: string;
  readonly state: InvocationState;
  /** Ends its turn. */
  readonly cancel: AbortController;
}

/** How many ended invocations are remembered, of all callers and of one. */
interface Limits {
  turns: number;
  turnsPerCaller: number;
}

/** The invocations that run, and the last ones that have ended. Each is its caller's only. */
export class Invocations {
  readonly #limits: Limits;
  /** In order of their start. */
  readonly #known = new Map<string, Invocation>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  begin(caller: string, id: string, sessionId: string): Invocation {
    const state: InvocationState = { invocation_id: id, session_id: sessionId, status: "running" };
    const invocation = { caller, state, cancel: new AbortController() };
    this.#known.set(keyOf(caller, id), invocation);
    return invocation;
  }

  /** Throws `chat/not-found`, also for another caller's. */
  find(caller: string, id: string): Invocation {
    const found = this.#known.get(keyOf(caller, id));
    if (found) return found;
    throw chatError(
      "chat/not-found",
      404,
      "There is no such invocation, or it ended long ago",
      "Use the x-agent-invocation-id of the answer.",
    );
  }

  /** Ends the turn of an invocation. One that has ended stays as it is. */
  cancel(caller: string, id: string): InvocationState {
    const { state, cancel } = this.find(caller, id);
    if (state.status !== "running") return state;
    state.status = "cancelled";
    cancel.abort(chatError("chat/cancelled", 409, "The invocation was cancelled"));
    this.#forgetOldest(caller);
    return state;
  }

  /** Notes the end of a turn. A cancelled one stays cancelled. */
  end({ caller, state }: Invocation, outcome: TurnOutcome): void {
    if (state.status !== "running") return;
    if ("result" in outcome) Object.assign(state, { status: "completed", output: outcome.result.reply });
    else {
      const { body } = problem(outcome.error, state.invocation_id, false);
      Object.assign(state, { status: "failed", error: body });
    }
    this.#forgetOldest(caller);
  }

  #forgetOldest(caller: string): void {
    const ended = [...this.#known].filter(([, { state }]) => state.status !== "running");
    const own = ended.filter(([, known]) => known.caller === caller);
    const { turns, turnsPerCaller } = this.#limits;
    const [oldest] = own.length > turnsPerCaller ? own : ended.length > turns ? ended : [];
    if (oldest) this.#known.delete(oldest[0]);
  }
}

const keyOf = (caller: string, id: string): string => JSON.stringify([caller, id]);
