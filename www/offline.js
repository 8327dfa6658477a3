// The service worker: stores the files of the page, so that it works without a network. The build
// puts FILES in front of this, and VERSION. It stores nothing else, and leaves requests to other
// hosts alone.

/* global FILES, VERSION */

// Another app of the same origin, or a copy of the page in another folder, has caches of its own.
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
  // The newest page if the network answers; the names of its files contain their version.
  event.respondWith(
    mode === "navigate"
      ? fetch(event.request).catch(async () => (await cached("./")) ?? Response.error())
      : cached(event.request).then((found) => found ?? fetch(event.request)),
  );
});
