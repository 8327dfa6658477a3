// `createGateway` with the direct credential, as the environment says. Prints its address.

import { createGateway } from "copilot-keyless/gateway";

const [endpoint, key] = process.argv.slice(2);
const gateway = await createGateway({ endpoint: `${endpoint}/openai/v1/`, key, credential: "direct" });
console.log(gateway.url);
