// The service worker: keeps the files of the page, so that it works without a network. The build puts FILES in front of this, and
// with them the version. It keeps nothing else, and what goes to other hosts passes it by.

/* global FILES, VERSION */

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((name) => name !== VERSION).map((name) => caches.delete(name))),
      ),
  );
});

self.addEventListener("fetch", (event) => {
  const { method, url, mode } = event.request;
  if (method !== "GET" || new URL(url).origin !== location.origin) return;
  const cached = () => caches.match(event.request, { ignoreSearch: mode === "navigate" });
  // A page as new as can be; its files have their version in their names.
  event.respondWith(
    mode === "navigate"
      ? fetch(event.request).catch(async () => (await caches.match("./")) ?? Response.error())
      : cached().then((found) => found ?? fetch(event.request)),
  );
});
