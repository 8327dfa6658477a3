// Entra's token endpoint for tests/certificate.rs: takes an assertion that is signed with a certificate.
// Prints its address and a PEM file with a new key, and runs until its input ends.

import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  verify,
} from "node:crypto";
import { createServer } from "node:http";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
// Only its digest counts.
const certificate = randomBytes(300);
const block = `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;

function problemOf(form, url) {
  const assertion = form.get("client_assertion") ?? "";
  const [header, claims, signature] = assertion.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const { alg, "x5t#S256": thumbprint } = read(header);
  const { aud, iss, sub, jti, nbf, exp } = read(claims);
  const now = Date.now() / 1000;
  const key = {
    key: createPublicKey(privateKey),
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  };
  const checks = {
    alg: alg === "PS256",
    thumbprint: thumbprint === createHash("sha256").update(certificate).digest("base64url"),
    aud: aud === url,
    subject: iss === form.get("client_id") && sub === iss,
    jti: jti.length >= 16,
    time: nbf <= now && now < exp && exp - now <= 3600,
    signature: verify("sha256", `${header}.${claims}`, key, Buffer.from(signature, "base64url")),
  };
  return Object.keys(checks).find((name) => !checks[name]);
}

const server = createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const problem = problemOf(new URLSearchParams(text), `http://${request.headers.host}${request.url}`);
  response.writeHead(problem ? 401 : 200, { "content-type": "application/json" });
  const refusal = { error: "invalid_client", error_description: `AADSTS700027: ${problem}` };
  response.end(JSON.stringify(problem ? refusal : { access_token: "verified", expires_in: 3600 }));
});
server.listen(0, "127.0.0.1", () => {
  const authority = `http://127.0.0.1:${server.address().port}`;
  const pem = block + privateKey.export({ type: "pkcs8", format: "pem" });
  console.log(JSON.stringify({ authority, pem }));
});
process.stdin.resume();
process.stdin.on("end", () => process.exit());
