// The service worker: keeps the files of the page, so that it works without a network. The build puts FILES in front of this, and
// with them the version. It keeps nothing else, and what goes to other hosts passes it by.

/* global FILES, VERSION */

// Other apps of the same origin have caches of their own, and so has a copy of the page in another folder.
const OWN = `copilot-keyless ${registration.scope} `;
const CURRENT = OWN + VERSION;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CURRENT).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(OWN) && name !== CURRENT))
      .then((names) => Promise.all(names.map((name) => caches.delete(name)))),
  );
});

self.addEventListener("fetch", (event) => {
  const { method, url, mode } = event.request;
  if (method !== "GET" || new URL(url).origin !== location.origin) return;
  const cached = async (request) => (await caches.open(CURRENT)).match(request);
  // A page as new as can be; its files have their version in their names.
  event.respondWith(
    mode === "navigate"
      ? fetch(event.request).catch(async () => (await cached("./")) ?? Response.error())
      : cached(event.request).then((found) => found ?? fetch(event.request)),
  );
});
