// Faults of the resource, with a good token.

const MINUTE = 60_000;

export const RESOURCE = [
  {
    id: "resource-401-once",
    title: "401 once, the token is good",
    script: async (cell) => {
      await cell.call();
      cell.fault({ server: "foundry", kind: "status", status: 401, times: 1 });
      await cell.call();
      await cell.call();
    },
  },
  // The platform returns the revoked token until it has nearly expired, so the call in between
  // cannot be served.
  revoked("resource-revoked", "401 until a new token", {}, [/\b401\b|token|unauthori[sz]ed/i]),
  // The endpoint has a new token; MSAL returns the revoked one until five minutes before it expires.
  revoked("resource-revoked-renewed", "the same, where App Service renews it", { tokenRevocation: true }),
  revoked("resource-revoked-uncached", "the same without the platform's cache", { platformCache: false }),
  lasting("resource-401", "401 always", { status: 401 }, [/\b401\b|token|unauthori[sz]ed/i]),
  lasting("resource-403", "403, firewall", { error: "firewall" }, [/firewall|network|virtual/i]),
  lasting("resource-404", "404, no such deployment", { error: "deployment-not-found" }, [/deployment/i]),
  passing(
    "resource-429",
    "429, twice, then always for 60 s",
    { status: 429 },
    { headers: { "retry-after": "60" } },
    [/\b429\b|rate|quota/i],
  ),
  passing("resource-500", "500, twice, then always", { status: 500 }, {}, [/\b500\b|server error|failed/i]),
  passing("resource-reset", "reset, twice, then always", { kind: "reset" }, {}, [
    /reset|network|connect|no answer|no HTTP answer/i,
  ]),
  passing("resource-cut-stream", "stream cut, twice, then always", { kind: "cut-stream" }, {}, [
    /cut|reset|network|connect|no answer|terminated|stream/i,
  ]),
  lasting("resource-hang", "no answer (hang)", { kind: "hang" }, [/no answer|time[d -]?out|longer than/i]),
].map((fault) => ({ group: "resource", ...fault }));

/** A token that is revoked an hour before it expires. */
function revoked(id, title, emulator, cause = []) {
  const script = async (cell) => {
    await cell.call();
    cell.emulator.revokeTokens();
    await cell.call(...cause);
    await cell.advance(61 * MINUTE);
    await cell.call();
  };
  return { id, title, emulator, script };
}

/** A lasting fault, which makes the call fail. After it ends, the next call must succeed. */
function lasting(id, title, fault, cause) {
  const script = async (cell) => {
    await cell.call();
    const trouble = cell.fault({ server: "foundry", kind: "status", ...fault });
    await cell.call(...cause);
    trouble.remove();
    await cell.call();
  };
  return { id, title, script };
}

/** A fault that happens twice and must not make a call fail. */
function passing(id, title, fault, more, cause) {
  const { script } = lasting(id, title, { ...fault, ...more }, cause);
  return {
    id,
    title,
    script: async (cell) => {
      cell.fault({ server: "foundry", kind: "status", ...fault, times: 2 });
      await script(cell);
    },
  };
}
