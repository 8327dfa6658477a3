// Runs the suite in workerd: the request holds its settings, the response its results.

import { runSuite } from "./suite.js";

export default {
  fetch: async (request: Request): Promise<Response> => {
    const { settings, names } = await request.json();
    return Response.json(await runSuite(settings, names));
  },
};
