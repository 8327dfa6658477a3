// Gives TypeDoc TypeScript 6: it works with the compiler's API, which TypeScript 7 no longer has. For `node --import`.

import { register } from "node:module";

const url = import.meta.resolve("typescript-6");
register(
  `data:text/javascript,${encodeURIComponent(`export const resolve = (specifier, context, next) =>
    specifier === "typescript" ? { url: ${JSON.stringify(url)}, shortCircuit: true } : next(specifier, context);`)}`,
);
