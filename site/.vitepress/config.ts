// Configures the site: it shows the repository's Markdown pages for users, under their paths in the
// repository.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Each page's title is its first heading. */
const title = (path: string) =>
  /^# (.+)$/m.exec(readFileSync(join(root, path), "utf8"))?.[1]?.replaceAll("`", "") ?? path;

const page = (path: string) => ({ text: title(path), link: `/${path.replace(/\.md$/, "")}` });

/** Builds the sidebar from the lists of docs/README.md, the only place that orders the pages. */
const sections = readFileSync(join(root, "docs/README.md"), "utf8")
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    text: section.split("\n", 1)[0] as string,
    items: [...section.matchAll(/\]\(([\w/-]+\.md)\)/g)].map(([, path]) => page(`docs/${path}`)),
  }));

const first = (text: string) => sections.find((section) => section.text === text)?.items[0]?.link ?? "/";

export default defineConfig({
  title: "copilot-keyless",
  description:
    "The GitHub Copilot SDK on your own models in Microsoft Foundry or Azure OpenAI, without an API key",
  lang: "en",
  head: [["link", { rel: "icon", href: "/page/icon.svg" }]],
  srcDir: root,
  srcExclude: [
    ...["target", "tests", "scripts", "js", "src", "crates", "benches", "www", "dist", ".ci"].map(
      (folder) => `${folder}/**`,
    ),
    "pkg*/**",
    "**/target/**",
    "examples/{python,rust}/**",
    "README.md",
    "site/{api,page}/**",
  ],
  rewrites: { "site/index.md": "index.md", "site/check.md": "check.md" },
  outDir: join(root, "target/site"),
  cacheDir: join(root, "target/site-cache"),
  cleanUrls: false,
  lastUpdated: false,
  // build.mjs copies these two beside the pages and checks their links with all others.
  ignoreDeadLinks: [/^\/(api|page)\//],
  themeConfig: {
    nav: [
      { text: "Guides", link: first("Guides"), activeMatch: "^/docs/guides/" },
      { text: "Reference", link: first("Reference"), activeMatch: "^/docs/reference/" },
      { text: "Design", link: first("Design"), activeMatch: "^/docs/design/" },
      { text: "API", link: "/api/index.html", target: "_self" },
      { text: "Check a setup", link: "/check" },
    ],
    sidebar: [
      ...sections,
      { text: "Project", items: ["SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(page) },
    ],
    outline: [2, 3],
    search: { provider: "local" },
  },
  markdown: {
    // Make anchors as GitHub does, so that links work in both places.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
    },
    // Shiki has no grammar for WIT.
    languageAlias: { wit: "rust" },
    config: (markdown) => {
      // Show links to files that are not pages, such as sources, as text: the site does not have
      // them.
      markdown.core.ruler.push("links-to-sources", ({ tokens, env }) => {
        for (const { children } of tokens) {
          let dropped = 0;
          for (const token of children ?? []) {
            const href = token.type === "link_open" ? token.attrGet("href") : null;
            if (href !== null && leadsToSource(href, env.path as string)) {
              dropped += 1;
              token.hidden = true;
              Object.assign(token, { type: "text", content: "", tag: "", nesting: 0 });
            } else if (token.type === "link_close" && dropped > 0) {
              dropped -= 1;
              Object.assign(token, { type: "text", content: "", tag: "", nesting: 0 });
            }
          }
        }
      });
    },
  },
  vite: {
    plugins: [
      {
        // The pages are outside of this folder; let their rendered code find Vue here.
        name: "vue-of-the-site",
        enforce: "pre",
        resolveId: (source, _importer, { ssr }) =>
          ssr && /^vue(\/|$)/.test(source) ? { id: source, external: true } : undefined,
      },
    ],
    server: { fs: { allow: [root] } },
    build: { chunkSizeWarningLimit: 2048 },
  },
});

function leadsToSource(href: string, from: string): boolean {
  if (/^(?:[a-z]+:|#|\/)/i.test(href)) return false;
  const path = resolve(dirname(from), decodeURIComponent(href.split("#", 1)[0] as string));
  if (relative(root, path).startsWith("..") || path.endsWith(".md")) return false;
  return existsSync(path);
}
