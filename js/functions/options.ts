import type { HttpRequest } from "@azure/functions";
import type { ServiceOptions } from "../chat/options.js";
import type { CallerFunction } from "../http/caller.js";

/** Options of {@link createChatHandler}. `exposeErrors` is by default true in Core Tools only. */
export interface ChatHandlerOptions extends ServiceOptions {
  /**
   * Identifies the caller: returns an id that nobody else has, or `false` for 401. May be async.
   * Must leave the request's body unread. A conversation belongs to its caller, and limits apply to
   * each caller. Any other result, or an error, is answered 500 before the model is called.
   *
   * Default: the user that App Service authentication has signed in, if it is enabled. Without
   * both, all requests count as one caller: anybody who has the id of a conversation can continue
   * it, and one client can use up the limits of all.
   */
  caller?: CallerFunction<HttpRequest> | undefined;
}
