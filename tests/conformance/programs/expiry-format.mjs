// Makes ten calls to an App Service that returns the expiry in an observed format, one hour ahead.
import { parseTokenResponse } from "copilot-keyless";
import { startEmulator } from "copilot-keyless/emulator";
import { stopWallClock } from "./clocks.mjs";
import { outcomeOf, report, systemUnderTest } from "./systems.mjs";

const [, , name, reader, format] = process.argv;

// MSAL reads an unknown expiry as "now", rounded to seconds. Half the time it rounds up, and the
// token lasts less than a second. Stop the clock to test the other half.
stopWallClock();
const at = new Date(Date.now() + 3_600_000);
const iso = at.toISOString();
const [date, time] = iso.split(/[T.]/);
const [year, month, day] = date.split("-");
const [hour, minuteAndSecond] = [Number(time.slice(0, 2)), time.slice(3)];
const halfDay = `${hour % 12 || 12}:${minuteAndSecond} ${hour < 12 ? "AM" : "PM"}`;
const FORMATS = {
  epoch: String(Math.floor(at / 1000)),
  "us-linux": `${month}/${day}/${year} ${time} +00:00`,
  "us-windows": `${Number(month)}/${Number(day)}/${year} ${halfDay} +00:00`,
  "iso-without-milliseconds": `${date}T${time}Z`,
};

const emulator = await startEmulator();
Object.assign(process.env, emulator.env);
emulator.faults.add({
  server: "identity",
  times: Number.POSITIVE_INFINITY,
  ...(format === "expires-in-alone"
    ? { kind: "body", body: { access_token: "opaque", expires_in: "3600", token_type: "Bearer" } }
    : { kind: "malformed-expiry", expiresOn: FORMATS[format] }),
});

/** Sends the same request, and reads the response with parseTokenResponse. */
const own = {
  async getToken(scope) {
    const requestedAt = Date.now();
    const url = new URL(process.env.IDENTITY_ENDPOINT);
    url.searchParams.set("api-version", "2019-08-01");
    url.searchParams.set("resource", scope.replace("/.default", ""));
    const response = await fetch(url, { headers: { "X-IDENTITY-HEADER": process.env.IDENTITY_HEADER } });
    return parseTokenResponse(await response.text(), { requestedAt });
  },
};
const credential =
  reader === "msal" ? new (await import("@azure/identity")).ManagedIdentityCredential() : own;
const provide = await systemUnderTest(name).create(credential);

const errors = new Set();
let given = 0;
for (let n = 0; n < 10; n += 1) {
  const { token, error } = await outcomeOf(provide);
  if (token) given += 1;
  else errors.add(error);
}
report({ requests: emulator.counts.identity, given, errors: [...errors] });
process.exit();
