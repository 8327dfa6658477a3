// `createGateway` with a token of a credential that costs nothing. Prints its address.

import { createGateway } from "copilot-keyless/gateway";

const [endpoint, key] = process.argv.slice(2);
const token = "token-of-the-bench";
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
const scope = "https://ai.azure.com/.default";
const options = { endpoint: `${endpoint}/openai/v1/`, key, scope, credential, env: {} };
const gateway = await createGateway(options);
console.log(gateway.url);
