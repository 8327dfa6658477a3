// Measures the time from the import to the first token, in a fresh process.
const [name] = process.argv.slice(2);
const SCOPE = "https://ai.azure.com/.default";
const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = process.env;
const URL_OF_TOKEN = `${IDENTITY_ENDPOINT}?resource=https%3A%2F%2Fai.azure.com&api-version=2019-08-01`;
const HEADERS = { "x-identity-header": IDENTITY_HEADER };

const WAYS = {
  "copilot-keyless": async () => {
    const { createDirectCredential } = await import("copilot-keyless/direct");
    return (await createDirectCredential().getToken(SCOPE)).token;
  },
  ManagedIdentityCredential: async () => {
    const { ManagedIdentityCredential } = await import("@azure/identity");
    return (await new ManagedIdentityCredential().getToken(SCOPE)).token;
  },
  "MSAL alone": async () => {
    const { ManagedIdentityApplication } = await import("@azure/msal-node");
    return (await new ManagedIdentityApplication().acquireToken({ resource: SCOPE })).accessToken;
  },
  "import of @azure/identity alone": async () => typeof (await import("@azure/identity")),
  // Only the request: no expiry, no retries, no other source.
  "bare fetch": async () => {
    const response = await fetch(URL_OF_TOKEN, { headers: HEADERS });
    return (await response.json()).access_token;
  },
  "bare node:http": async () => {
    const { get } = await import("node:http");
    const response = await new Promise((resolve, reject) =>
      get(URL_OF_TOKEN, { headers: HEADERS }, resolve).on("error", reject),
    );
    let text = "";
    for await (const chunk of response) text += chunk;
    return JSON.parse(text).access_token;
  },
};

const began = performance.now();
if (!(await WAYS[name]())) throw new Error("No token came");
process.stdout.write(`${JSON.stringify({ ms: performance.now() - began })}\n`);
process.exit();
