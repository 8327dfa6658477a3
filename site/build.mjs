// `npm run site`: builds the documentation into target/site, adds the API reference and the browser
// page, and checks every link. `npm run docs`: writes only the API reference, into target/api.

import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { build } from "../scripts/build.mjs";
import { ifChanged, main, root, run, StepError, step } from "../scripts/steps.mjs";

const OUT = join(root, "target/site");
const HOME = join(root, "site");

await main(async () => {
  if (process.argv[2] !== "api") await build();
  await ifChanged(
    "site-packages",
    ["site/package.json", "site/package-lock.json"],
    ["site/node_modules/.package-lock.json"],
    () => step("Packages of the site", (onLine) => run("npm", ["ci", "--no-audit"], { cwd: HOME, onLine })),
  );
  // TypeDoc needs the compiler API, which TypeScript 7 lacks: the packages of the site have TypeScript 6.
  const typedoc = join(HOME, "node_modules/typedoc/bin/typedoc");
  await step("API reference", (onLine) => run(process.execPath, [typedoc], { onLine }));
  if (process.argv[2] === "api") return;
  await step("Page", (onLine) => run("npx", ["vite", "build", "www"], { onLine }));
  rmSync(OUT, { recursive: true, force: true });
  await step("Pages", (onLine) => run("npx", ["vitepress", "build"], { cwd: HOME, onLine }));
  cpSync(join(root, "target/api"), join(OUT, "api"), { recursive: true });
  cpSync(join(root, "www/dist"), join(OUT, "page"), { recursive: true });
  const broken = brokenLinks();
  if (broken.length > 0)
    throw new StepError(`The site has ${broken.length} broken links:\n${broken.join("\n")}`);
  console.error(`${OUT}: serve it with \`npx --prefix site vitepress preview site\``);
});

/** Returns links to missing pages or missing anchors. */
function brokenLinks() {
  const files = readdirSync(OUT, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".html"));
  const pages = new Map(files.map((path) => [path, readFileSync(join(OUT, path), "utf8")]));
  const ids = new Map();
  const idsOf = (path) => {
    const found = () => new Set([...pages.get(path).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    if (!ids.has(path)) ids.set(path, found());
    return ids.get(path);
  };
  return files.flatMap((from) => {
    // Ignore fragments of the page: its scripts handle them, and its own tests cover that.
    const links = [
      ...pages.get(from).matchAll(/<(?:a|img|iframe|link|script)\b[^>]*? (?:href|src)="([^"]+)"/g),
    ];
    return links.flatMap(([, link]) => {
      if (/^(?:[a-z]+:|\/\/)/i.test(link)) return [];
      const [path, fragment] = link.replaceAll("&amp;", "&").split("#");
      const plain = decodeURIComponent(path.split("?")[0]);
      const absolute = plain.startsWith("/") ? plain.slice(1) : posix.join(dirname(from), plain);
      const target = plain === "" ? from : absolute.replace(/(^|\/)$/, "$1index.html");
      const file = [target, `${target}.html`].find((one) => existsSync(join(OUT, one)));
      if (file === undefined) return [`${from}: ${link}`];
      if (!fragment || !pages.has(file) || file.startsWith("page/")) return [];
      return idsOf(file).has(decodeURIComponent(fragment)) ? [] : [`${from}: ${link}: no such anchor`];
    });
  });
}
