// A worker as in docs/guides/gateway.md: one edge gateway for all requests.

import { createEdgeGateway, type EdgeGateway } from "copilot-keyless/edge";

let gateway: EdgeGateway | undefined;

export default {
  fetch(request: Request, env: Record<string, string>): Promise<Response> {
    gateway ??= createEdgeGateway({ env, key: env.GATEWAY_KEY as string });
    return gateway(request);
  },
};
