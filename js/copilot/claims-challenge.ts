import type { CopilotRequestContext, CopilotRequestHandler } from "@github/copilot-sdk";
import { summarize } from "../credentials/failure.js";
import { type Check, checkArgument, readOptions } from "../errors/check.js";
import { KeylessError } from "../errors/keyless-error.js";
import type { FoundryProvider } from "../foundry/provider.js";
import { noteTokenError, wasSent } from "../foundry/session-attachments.js";
import { withoutBearer } from "../tokens/clean-token.js";
import { parseChallenge } from "../tokens/parse.js";
import type { TokenProvider } from "../tokens/types.js";
import { loadSdk } from "./sdk.js";

/** The part of a provider that answers a challenge. */
type Challenged = Pick<FoundryProvider, "config" | "tokens">;

/** Options of {@link createClaimsChallengeHandler}. */
export interface ClaimsChallengeHandlerOptions {
  /**
   * The request handler class to extend. Default: the Copilot SDK's, which sends every request
   * unchanged.
   */
  base?: typeof CopilotRequestHandler | undefined;
}

/**
 * Creates a request handler for the Copilot client that answers claims challenges (continuous
 * access evaluation). When the resource rejects a token and names claims, the handler acquires a
 * token with these claims, once for all sessions, and sends the request again. If that fails, the
 * turn ends with the reason. Requests to other addresses are not changed.
 *
 * A resource can challenge only tokens that were acquired with `tokens: { enableCae: true }`. The
 * credential must support claims: service principals and workload identities do, managed identities
 * and developer tools do not.
 *
 * @throws KeylessError `sdk/not-installed`, `sdk/too-old`
 * @example
 * ```ts
 * const foundry = createFoundryProvider({ tokens: { enableCae: true } });
 * const client = new CopilotClient({ requestHandler: await createClaimsChallengeHandler(foundry)
 * }); ```
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
      const there = providers.filter(({ config }) => isBelow(request.url, config.baseUrl));
      const sent = request.headers.get("authorization");
      const tokens = senderOf(there, withoutBearer(sent ?? ""), context.sessionId);
      if (!sent || !tokens?.getToken) return super.sendRequest(request, context);
      // Sending the request consumes its body.
      const retry = request.clone();
      const first = await super.sendRequest(request, context);
      try {
        const token = await answerChallenge(tokens, first, withoutBearer(sent), context.signal);
        if (token === undefined) return first;
        await first.body?.cancel();
        retry.headers.set("authorization", `Bearer ${token}`);
        const second = await super.sendRequest(retry, context);
        // Not sent a third time: a challenge that comes again at once is not answered, and this
        // throws the reason.
        await answerChallenge(tokens, second, token, context.signal);
        return second;
      } catch (error) {
        if (!(error instanceof KeylessError)) throw error;
        noteTokenError(tokens, context.sessionId, error);
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

/** Of the providers at one address, the one whose token was sent. They may have different identities. */
function senderOf(
  providers: readonly Challenged[],
  token: string,
  sessionId: string | undefined,
): TokenProvider | undefined {
  const [first, ...others] = new Set(providers.map(({ tokens }) => tokens));
  if (others.length === 0) return first;
  return providers.find(({ tokens }) => wasSent(tokens, sessionId, token))?.tokens;
}

/** Acquires the token that a claims challenge asks for. Undefined for any other response. */
async function answerChallenge(
  tokens: TokenProvider,
  { status, headers }: Response,
  rejectedToken: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  const claims = status === 401 ? parseChallenge(headers.get("www-authenticate")).claims : undefined;
  if (claims === undefined) return undefined;
  return (await tokens.getToken({ abortSignal, claims, rejectedToken })).token;
}

/** Whether a request goes to a provider. Its token must not be sent anywhere else. */
function isBelow(url: string, baseUrl: string): boolean {
  const base = new URL(baseUrl).href;
  return url.startsWith(base.endsWith("/") ? base : `${base}/`);
}

/**
 * A response that tells the runtime why there is no token. Its status is 400: the runtime does not
 * retry that, and does not explain it with API keys as it does a 401.
 */
function refusal(error: KeylessError): Response {
  const { code, message, hint = "" } = summarize(error);
  return Response.json({ error: { code, message: `${message}. ${hint}` } }, { status: 400 });
}
