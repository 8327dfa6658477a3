// Runs the suite in workerd: what it is told comes as a request, what came of it goes back.

import { runSuite } from "./suite.js";

export default {
  fetch: async (request: Request): Promise<Response> => {
    const { settings, names } = await request.json();
    return Response.json(await runSuite(settings, names));
  },
};
