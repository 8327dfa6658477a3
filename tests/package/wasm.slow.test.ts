// Tests the size limit of each WebAssembly module, and the absence of unwanted content.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../support/process.js";
import { compiledCrates, MODULES, moduleBytes, WasmModule } from "./release.js";

test("everything is within its budget, which package.json names", () => {
  const sizeLimit = join(root, "node_modules/size-limit/bin.js");
  const rows = JSON.parse(
    execFileSync(process.execPath, [sizeLimit, "--json"], { cwd: root, encoding: "utf8" }),
  );
  expect(rows.length).toBeGreaterThanOrEqual(Object.keys(MODULES).length + 3);
  for (const { name, size, sizeLimit: limit } of rows) {
    console.log(`${name}: ${size} of ${limit} bytes`);
    expect(size, name).toBeGreaterThan(0);
    expect(size, name).toBeLessThanOrEqual(limit);
  }
});

/** The limit of a module's constant data in bytes, which Unicode tables would exceed. */
const DATA: Record<string, number> = {
  core: 12 * 1024,
  plan: 20 * 1024,
  explain: 128 * 1024,
  simulate: 16 * 1024,
  net: 40 * 1024,
  gateway: 20 * 1024,
  lease: 8 * 1024,
};

describe.each(Object.keys(MODULES))("%s", (name) => {
  const bytes = moduleBytes(name);
  const text = bytes.toString("latin1");

  test("imports from its own bindings alone, not from env or WASI", () => {
    const imports = WasmModule.imports(new WasmModule(bytes));
    expect(imports.length).toBeGreaterThan(0);
    expect(new Set(imports.map(({ module }) => module))).toEqual(new Set([`./${name}_bg.js`]));
  });

  test("holds few constants", () => {
    expect(dataOf(bytes).length).toBeLessThanOrEqual(DATA[name] as number);
  });

  test("holds no path of the machine that built it", () => {
    // Panics contain source paths inside the crates, but not the crates' location. That of the lease has
    // no panic.
    if (name !== "lease") expect(text).toMatch(/src\/\w+\.rs/);
    expect(text).not.toMatch(/\.cargo[\\/]|[\\/]registry[\\/]|[\\/]rustup[\\/]/);
    expect(text).not.toMatch(/\/(?:root|home|Users|tmp|work|build|github)\/|[A-Z]:\\/);
    expect(text).not.toContain(root);
    expect(text).not.toContain(homedir());
  });

  test("holds no names and nothing for a debugger", () => {
    const module = new WasmModule(bytes);
    for (const section of ["name", "sourceMappingURL", ".debug_info", ".debug_line", ".debug_str"])
      expect(WasmModule.customSections(module, section), section).toEqual([]);
  });
});

/** Returns the constant data of a module: its section 11. */
function dataOf(bytes: Buffer): Buffer {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++];
    // Decode the length (LEB128).
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[at++] as number;
      length |= (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    if (id === 11) return bytes.subarray(at, at + length);
    at += length;
  }
  throw new Error("The module has no constant data");
}

describe("Unicode", () => {
  const folder = mkdtempSync(join(tmpdir(), "copilot-keyless-unicode-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Returns, in pieces, the constants that the standard library's tables add to a module. */
  function tables(name: string, expression: string): Buffer[] {
    const file = join(folder, name);
    writeFileSync(
      `${file}.rs`,
      `#![no_std]
       use core::fmt::Write;
       struct Sink(u32);
       impl Write for Sink { fn write_str(&mut self, s: &str) -> core::fmt::Result { self.0 += s.len() as u32; Ok(()) } }
       #[panic_handler] fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
       #[unsafe(no_mangle)] pub extern "C" fn run(code: u32) -> u32 {
         let mut sink = Sink(0);
         if let Some(c) = char::from_u32(code) { ${expression} }
         sink.0
       }`,
    );
    const flags = "-C opt-level=z -C lto=fat -C panic=abort -C strip=symbols --cap-lints allow".split(" ");
    const target = ["--edition", "2024", "--target", "wasm32-unknown-unknown", "--crate-type", "cdylib"];
    execFileSync("rustc", [...target, ...flags, "-o", `${file}.wasm`, `${file}.rs`]);
    const data = dataOf(readFileSync(`${file}.wasm`));
    const pieces = [];
    for (let at = 0; at + 24 <= data.length; at += 24) pieces.push(data.subarray(at, at + 24));
    // Ignore text and zeros, which all modules contain.
    return pieces.filter((piece) => new Set(piece).size > 8 && !/[a-z ]{6}/.test(piece.toString("latin1")));
  }

  const found = (pieces: Buffer[], name: string) =>
    pieces.filter((piece) => moduleBytes(name).includes(piece)).length / pieces.length;

  test.each([
    ["upper case", "for u in c.to_uppercase() { sink.0 += u as u32 }"],
    ["lower case", "for u in c.to_lowercase() { sink.0 += u as u32 }"],
    ["letters and digits", "sink.0 = c.is_alphanumeric() as u32"],
  ])("no module has the table of %s", (name, expression) => {
    const pieces = tables(name.replaceAll(" ", "-"), expression);
    expect(pieces.length).toBeGreaterThan(10);
    for (const module of Object.keys(MODULES)) expect(found(pieces, module), module).toBeLessThan(0.05);
  });

  test("the only table is that of printable characters, which serde and fmt need to quote texts", () => {
    const pieces = tables("debug", 'let _ = write!(sink, "{c:?}");');
    expect(found(pieces, "net")).toBeGreaterThan(0.5);
  });

  test("no crate with tables is compiled in", () => {
    const names = compiledCrates().map(({ name, version }) => `${name} ${version}`);
    expect(names).toContain("idna_adapter 1.0.0");
    // Only macros use the tables of unicode-ident; the modules do not contain them.
    expect(names.filter((name) => /^(icu|unicode|unic|tinystr|zerovec)/.test(name))).toEqual([
      expect.stringMatching(/^unicode-ident /),
    ]);
  });
});
