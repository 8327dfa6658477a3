// Runs the four bundlers as their guides set them up, without settings for this package.

import { extname, join } from "node:path";

/** A bundle of a file in the user's folder, for Node or browsers, written to its own folder. */
export interface Job {
  folder: string;
  entry: string;
  out: string;
  target: "node" | "browser";
  /** Packages that the bundle imports instead of containing them. */
  external?: string[];
  /** Default: ECMAScript modules. */
  format?: "esm" | "cjs";
}

/** Returns the file name of a bundle's entry, by which Node recognises its module format. */
export const mainOf = (format: Job["format"] = "esm") => (format === "cjs" ? "main.cjs" : "main.mjs");

/** Each bundler writes {@link mainOf} and the files that it imports. */
export const BUNDLERS: Record<string, (job: Job) => Promise<void>> = {
  async esbuild({ folder, entry, out, target, external = [], format = "esm" }) {
    const { build } = await import("esbuild");
    await build({
      absWorkingDir: folder,
      entryPoints: { main: entry },
      outdir: out,
      outExtension: { ".js": extname(mainOf(format)) },
      bundle: true,
      splitting: format === "esm",
      minify: true,
      format,
      platform: target,
      external,
      logLevel: "silent",
    });
  },

  async rollup({ folder, entry, out, target, external = [], format = "esm" }) {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const bundle = await rollup({
      input: { main: join(folder, entry) },
      external,
      plugins: [nodeResolve({ browser: target === "browser", preferBuiltins: target === "node" })],
      onwarn: (warning) => {
        // Keep imports of Node's modules.
        if (!/"node:/.test(warning.message) && warning.code !== "UNRESOLVED_IMPORT")
          throw new Error(warning.message);
      },
    });
    await bundle.write({
      dir: join(folder, out),
      format,
      entryFileNames: mainOf(format),
      chunkFileNames: `[name]-[hash]${extname(mainOf(format))}`,
    });
    await bundle.close();
  },

  async vite({ folder, entry, out, target, external = [], format = "esm" }) {
    const { build } = await import("vite");
    await build({
      root: folder,
      configFile: false,
      envFile: false,
      logLevel: "silent",
      build: {
        outDir: out,
        target: "es2022",
        ssr: target === "node",
        modulePreload: false,
        rolldownOptions: {
          input: { main: join(folder, entry) },
          external,
          output: {
            format,
            entryFileNames: mainOf(format),
            chunkFileNames: `[name]-[hash]${extname(mainOf(format))}`,
          },
        },
      },
      ...(target === "node" ? { ssr: { noExternal: true as const, external } } : {}),
    });
  },

  async webpack({ folder, entry, out, target, external = [], format = "esm" }) {
    const { default: webpack } = await import("webpack");
    const stats = await new Promise<import("webpack").Stats | undefined>((resolve, reject) =>
      webpack(
        {
          context: folder,
          mode: "production",
          entry: { main: `./${entry}` },
          target: target === "node" ? "node20" : ["web", "es2022"],
          output: {
            path: join(folder, out),
            filename: mainOf(format),
            chunkFilename: `[name]-[contenthash]${extname(mainOf(format))}`,
            ...(format === "esm" ? { module: true } : { library: { type: "commonjs2" } }),
          },
          externals: Object.fromEntries(
            external.map((name) => [name, `${format === "esm" ? "import" : "commonjs"} ${name}`]),
          ),
          experiments: { outputModule: format === "esm" },
          performance: { hints: false },
        },
        (error, result) => (error ? reject(error) : resolve(result)),
      ),
    );
    const { errors = [], warnings = [] } = stats?.toJson({ errors: true, warnings: true }) ?? {};
    // Ignore warnings of other packages: the Copilot SDK has a native library for each platform,
    // and only one is installed.
    const own = warnings.filter(
      ({ moduleName = "" }) => !/node_modules\/(?!copilot-keyless\/)/.test(moduleName),
    );
    const problems = [...errors, ...own].map(({ message }) => message);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  },
};
