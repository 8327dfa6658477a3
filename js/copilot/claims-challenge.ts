import type { CopilotRequestContext, CopilotRequestHandler } from "@github/copilot-sdk";
import { summarize } from "../credentials/failure.js";
import { type Check, checkArgument, readOptions } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import type { FoundryProvider } from "../foundry/provider.js";
import { noteRefusal } from "../foundry/session-watch.js";
import { parseChallenge } from "../tokens/read.js";
import { withoutBearer } from "../tokens/text.js";
import type { TokenProvider } from "../tokens/types.js";
import { loadSdk } from "./sdk.js";

/** What is needed of a provider. */
type Challenged = Pick<FoundryProvider, "config" | "tokens">;

/** Options of {@link createClaimsChallengeHandler}. */
export interface ClaimsChallengeHandlerOptions {
  /** A request handler of your own to build upon. Default: the Copilot SDK's, which sends every request as it is. */
  base?: typeof CopilotRequestHandler | undefined;
}

/**
 * A request handler for the Copilot client that answers claims challenges (continuous access evaluation): when the resource
 * refuses a token and names claims, a token is acquired with them, once for all sessions, and the request is sent once
 * more. What cannot be answered ends the turn with the reason. Requests to other addresses pass untouched.
 *
 * Entra lets a resource challenge only tokens that were asked for with `tokens: { enableCae: true }`. The credential must take
 * claims: a service principal's and a workload identity's do, a managed identity's and the command lines' do not.
 *
 * @throws KeylessError `sdk/not-installed`, `sdk/too-old`
 * @example
 * ```ts
 * const foundry = createFoundryProvider({ tokens: { enableCae: true } });
 * const client = new CopilotClient({ requestHandler: await createClaimsChallengeHandler(foundry) });
 * ```
 */
export async function createClaimsChallengeHandler(
  provider: Challenged | readonly Challenged[],
  options: ClaimsChallengeHandlerOptions = {},
): Promise<CopilotRequestHandler> {
  const { base } = readOptions(options, { base: HANDLER }, "provider/conflict");
  const providers = [provider].flat() as Challenged[];
  for (const one of providers) checkArgument("provider", one, PROVIDER, "provider/conflict");
  const Base = base ?? (await loadSdk()).CopilotRequestHandler;

  class ClaimsChallengeHandler extends Base {
    protected override async sendRequest(
      request: Request,
      context: CopilotRequestContext,
    ): Promise<Response> {
      const tokens = providers.find(({ config }) => isBelow(request.url, config.baseUrl))?.tokens;
      const sent = request.headers.get("authorization");
      if (!tokens?.getToken || !sent) return super.sendRequest(request, context);
      // The first sending uses the body up.
      const again = request.clone();
      const first = await super.sendRequest(request, context);
      try {
        const token = await answer(tokens, first, withoutBearer(sent), context.signal);
        if (token === undefined) return first;
        await first.body?.cancel();
        again.headers.set("authorization", `Bearer ${token}`);
        const second = await super.sendRequest(again, context);
        // Sent no third time: for a challenge that comes again at once there is no token, and this throws the reason.
        await answer(tokens, second, token, context.signal);
        return second;
      } catch (error) {
        if (!(error instanceof KeylessError)) throw error;
        noteRefusal(tokens, context.sessionId, error);
        return refusal(error);
      }
    }
  }
  return new ClaimsChallengeHandler();
}

const HANDLER: Check = {
  expected: "a class of request handlers",
  fits: (value) => typeof value === "function" && typeof value.prototype === "object",
};

const PROVIDER: Check = {
  expected: "a provider, or a list of them",
  fits: (value) => {
    const { config, tokens } = value as Challenged;
    return typeof config.baseUrl === "string" && typeof tokens === "function";
  },
};

/** The token that a response asks for; none if it is no claims challenge. */
async function answer(
  tokens: TokenProvider,
  { status, headers }: Response,
  rejectedToken: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const claims = status === 401 ? parseChallenge(headers.get("www-authenticate")).claims : undefined;
  if (claims === undefined) return undefined;
  return (await tokens.getToken({ abortSignal, claims, rejectedToken })).token;
}

/** Whether a request goes to a provider: its token is for nobody else. */
function isBelow(url: string, baseUrl: string): boolean {
  const base = new URL(baseUrl).href;
  return url.startsWith(base.endsWith("/") ? base : `${base}/`);
}

/**
 * An answer that tells the runtime why there is no token. A 400, which it neither sends again nor explains with API keys as it
 * does a 401.
 */
function refusal(error: KeylessError): Response {
  const { code, message, hint = "" } = summarize(error);
  return Response.json({ error: { code, message: `${message}. ${hint}` } }, { status: 400 });
}
