// `npm run tool examples`: runs the tests of the component's hosts in examples/, which take Python 3.11 with venv.

import { join } from "node:path";
import { build } from "./build.mjs";
import { ifChanged, main, root, run, step } from "./steps.mjs";

await main(async () => {
  await build();
  const home = join(root, "target/python");
  const python = join(home, process.platform === "win32" ? "Scripts/python" : "bin/python");
  const cwd = join(root, "examples/python");
  const inputs = ["examples/python/pyproject.toml", "examples/python/constraints.txt"];
  await ifChanged("python", inputs, ["target/python/pyvenv.cfg"], () =>
    step("Python packages", async (onLine) => {
      await run("python3", ["-m", "venv", "--clear", home], {
        hint: "Python's venv is in apt's python3-venv.",
      });
      const packages = ["-c", "constraints.txt", "-e", ".[test]"];
      await run(python, ["-m", "pip", "install", "--disable-pip-version-check", ...packages], {
        onLine,
        cwd,
      });
    }),
  );
  for (const tool of ["mypy", "pytest"]) await run(python, ["-m", tool], { show: true, cwd });
  await run("cargo", ["test", "--locked"], { show: true, cwd: join(root, "examples/rust") });
});
