import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

// Every form of import: static, type-only, dynamic, re-export and require.
const FORMS = [
  /(?:^|[;\n}\s])(?:import|export)\b[^"'`;()]*?\bfrom\s*["']([^"'\n]+)["']/g,
  /(?:^|[;\n}\s])import\s*["']([^"'\n]+)["']/g,
  /\bimport\s*\(\s*["'`]([^"'`\n]+)["'`]/g,
  /\brequire\s*\(\s*["'`]([^"'`\n]+)["'`]/g,
];

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/^\s*\/\/.*$/gm, " ");

/** The modules that a source text imports. */
const importsOf = (text: string): string[] =>
  FORMS.flatMap((form) => [...withoutComments(text).matchAll(form)].map(([, name]) => name ?? ""));

const isCode = (name: string): boolean => /\.[cm]?[jt]sx?$/.test(name) && !name.endsWith(".d.ts");

const filesOf = (folder: string): string[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter(isCode)
        .map((name) => join(folder, name))
    : [];

/** A path in the project for a file, or the bare name of a package. */
const targetOf = (file: string, imported: string): string =>
  imported.startsWith(".") ? normalize(join(dirname(file), imported)) : imported;

const packageOf = (name: string): string => name.split("/", name.startsWith("@") ? 2 : 1).join("/");
const below =
  (...folders: string[]) =>
  (target: string) =>
    folders.some((folder) => target.startsWith(folder));
const packages =
  (...names: string[]) =>
  (target: string) =>
    names.includes(packageOf(target));
const isNode = (target: string): boolean => target.startsWith("node:") || isBuiltin(target);
const isPackage = (target: string): boolean =>
  !/^(?:domain|handlers|adapters|web|test|scripts)\/|^package\.json$/.test(target);

// Packages without I/O, clock and randomness.
const PURE = packages(
  "zod",
  "@noble/hashes",
  "@stdlib/math-base-special-betainc",
  "@stdlib/math-base-special-erfc",
  "@stdlib/math-base-special-erfcinv",
  "@stdlib/math-base-special-gammaln",
  // Only its calendar is used, not its clock.
  "temporal-polyfill",
);

// The libraries that draw the dashboard.
const VIEWS = ["preact", "uplot"];

// The SDKs that our providers are made for: the application brings them.
const OPENFEATURE = ["@openfeature/core", "@openfeature/server-sdk", "@openfeature/web-sdk"];

const DRIVERS: Record<string, string> = { sqlite: "better-sqlite3", postgres: "pg" };

type Allowed = (target: string) => boolean;
const anyOf =
  (...rules: Allowed[]): Allowed =>
  (target) =>
    rules.some((rule) => rule(target));

const isTechnology = below(...Object.keys(DRIVERS).map((name) => `adapters/${name}/`));
const isDriver = packages(...Object.values(DRIVERS));

/** The imports that the architecture allows for a file, by its folder. */
function allowedFor(file: string): Allowed {
  if (file.startsWith("domain/")) return anyOf(below("domain/"), PURE);
  if (file.startsWith("handlers/")) return anyOf(below("handlers/", "domain/"), packages("zod"));
  if (file.startsWith("web/"))
    return anyOf(
      below("web/"),
      (target) => target === "domain/experiments/assignment.ts",
      packages("zod", ...VIEWS, ...OPENFEATURE),
    );
  if (file.startsWith("adapters/rollups/")) return below("adapters/rollups/", "domain/");
  if (file.startsWith("adapters/background/"))
    return anyOf(below("adapters/background/", "domain/"), (target) => target === "node:timers/promises");
  const technology = /^adapters\/(\w+)\//.exec(file)?.[1] ?? "";
  const driver = DRIVERS[technology];
  if (driver !== undefined) {
    return anyOf(
      below(`adapters/${technology}/`, "adapters/rollups/", "adapters/background/", "domain/"),
      (target) => target === "adapters/migrate.ts",
      packages(driver),
      isNode,
    );
  }
  if (technology === "http") return (target) => !isTechnology(target) && !isDriver(target);
  // The files at the top of adapters/ compose the server, but use no database driver.
  return (target) => !isDriver(target);
}

/** The browser may import types of the domain, because the build erases them. */
const isDomainType = (text: string, imported: string): boolean =>
  new RegExp(`import\\s+type\\b[^;]*?from\\s*["']${imported.replace(/[.*+?^$()|[\]\\]/g, "\\$&")}["']`).test(
    text,
  );

function violationsOf(file: string, text: string): string[] {
  const allowed = allowedFor(file);
  return importsOf(text)
    .map((imported) => ({ imported, target: targetOf(file, imported) }))
    .filter(({ target }) => !allowed(target))
    .filter(
      ({ imported, target }) =>
        !(file.startsWith("web/") && target.startsWith("domain/") && isDomainType(text, imported)),
    )
    .map(({ target }) => `${file} imports ${target}`);
}

const read = (file: string): string => readFileSync(join(root, file), "utf8");

describe.each(["domain", "handlers", "adapters", "web"])("in %s/", (folder) => {
  const files = filesOf(folder);

  test("every import is allowed by the architecture", () => {
    expect(files.flatMap((file) => violationsOf(file, read(file)))).toEqual([]);
  });

  test("every imported file exists", () => {
    const missing = files.flatMap((file) =>
      importsOf(read(file))
        .map((imported) => targetOf(file, imported))
        .filter((target) => !isPackage(target) && !existsSync(join(root, target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(missing).toEqual([]);
  });
});

/** The files of ours that a file imports, types included. */
const ownImports = (file: string): string[] =>
  importsOf(read(file))
    .map((imported) => targetOf(file, imported).replace(/\.js$/, ".d.ts"))
    .filter((target) => !isPackage(target) && isCode(target));

/** The first circle that can be walked from here, as the files on it; undefined where there is none. */
function circleFrom(
  file: string,
  importsFrom: (file: string) => readonly string[],
  walked: readonly string[],
  done: Set<string>,
): readonly string[] | undefined {
  if (walked.includes(file)) return [...walked.slice(walked.indexOf(file)), file];
  if (done.has(file)) return undefined;
  for (const imported of importsFrom(file)) {
    const circle = circleFrom(imported, importsFrom, [...walked, file], done);
    if (circle !== undefined) return circle;
  }
  done.add(file);
  return undefined;
}

function circleAmong(
  files: readonly string[],
  importsFrom: (file: string) => readonly string[],
): readonly string[] | undefined {
  const done = new Set<string>();
  for (const file of files) {
    const circle = circleFrom(file, importsFrom, [], done);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

test("no file imports itself through others", () => {
  const files = ["domain", "handlers", "adapters", "web", "scripts"].flatMap(filesOf);
  expect(circleAmong(files, ownImports)).toBeUndefined();
});

test("the search for circles finds one of any length", () => {
  const imports: Record<string, readonly string[]> = {
    a: ["b", "c"],
    b: ["c"],
    c: ["d"],
    d: ["b"],
    e: ["e"],
  };
  const from = (file: string): readonly string[] => imports[file] ?? [];
  expect(circleAmong(["a"], from)).toEqual(["b", "c", "d", "b"]);
  expect(circleAmong(["e"], from)).toEqual(["e", "e"]);
  expect(circleAmong(["c"], (file) => (file === "c" ? ["d"] : []))).toBeUndefined();
});

test("no value is cast past its type", () => {
  const files = ["domain", "handlers", "adapters", "web", "scripts"].flatMap(filesOf);
  expect(files.filter((file) => /\bas unknown as\b/.test(withoutComments(read(file))))).toEqual([]);
});

test("an engine's folder has at most 15 files besides its rooms", () => {
  const filesIn = (folder: string): string[] => readdirSync(join(root, folder)).filter(isCode);
  for (const engine of ["adapters/sqlite", "adapters/postgres"])
    expect(filesIn(engine).length).toBeLessThan(16);
});

test("the checked folders contain files", () => {
  for (const folder of ["domain", "handlers", "adapters"]) expect(filesOf(folder).length).toBeGreaterThan(5);
});

test("the domain and the handlers use no clock, no randomness and no environment", () => {
  const impure =
    /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bprocess\.|\bperformance\.now\b|\bcrypto\.|\bfetch\(|\bsetTimeout\b|\bconsole\./;
  const files = [...filesOf("domain"), ...filesOf("handlers")];
  expect(files.filter((file) => impure.test(withoutComments(read(file))))).toEqual([]);
});

test("the handlers name no HTTP status, header or encoding, and nothing of AWS", () => {
  const transport =
    /\bHTTP\b|\bAWS\b|\bLambda\b|\bstatus(?:Code)?:\s*\d|\bheaders?\b|\betag\b|\bgzip\b|\bbrotli\b|\bcookie\b|content-type|\b(?:text|application)\/[a-z]/i;
  expect(filesOf("handlers").filter((file) => transport.test(withoutComments(read(file))))).toEqual([]);
});

test("every package that the code imports is a production dependency", () => {
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
  const used = ["domain", "handlers", "adapters"].flatMap(filesOf).flatMap((file) =>
    importsOf(read(file))
      .map((imported) => targetOf(file, imported))
      .filter((target) => isPackage(target) && !isNode(target))
      .map(packageOf),
  );
  // Types are not needed at run time.
  expect([...new Set(used)].filter((name) => name !== "aws-lambda" && !(name in dependencies))).toEqual([]);
});

describe("the checker itself", () => {
  test.each([
    ['import { x } from "node:fs";', "node:fs"],
    ["import x from 'node:fs'", "node:fs"],
    ['import * as x from "node:fs";', "node:fs"],
    ['import type { x } from "node:fs";', "node:fs"],
    ['import { type x } from "node:fs";', "node:fs"],
    ['import {\n  x,\n  y as z,\n} from "node:fs";', "node:fs"],
    ['import x, { y } from "node:fs";', "node:fs"],
    ['import "node:fs";', "node:fs"],
    ["import'node:fs'", "node:fs"],
    ['import{x}from"node:fs";', "node:fs"],
    ['import x from "node:fs" with { type: "json" };', "node:fs"],
    ['const x = await import("node:fs");', "node:fs"],
    ["const x = import(\n  'node:fs'\n);", "node:fs"],
    ["const x = import(`node:fs`);", "node:fs"],
    ['type X = import("node:fs").Stats;', "node:fs"],
    ['export { x } from "node:fs";', "node:fs"],
    ['export * from "node:fs";', "node:fs"],
    ['export * as x from "node:fs";', "node:fs"],
    ['export type { X } from "node:fs";', "node:fs"],
    ['const x = require("node:fs");', "node:fs"],
    ['const a = 1; import "node:fs";', "node:fs"],
  ])("finds the import in %j", (text, name) => {
    expect(importsOf(text)).toContain(name);
  });

  test.each([
    '// import "node:fs";',
    '/* import "node:fs"; */',
    'const important = "node:fs";',
    'say("from");',
  ])("finds no import in %j", (text) => {
    expect(importsOf(text)).toEqual([]);
  });

  test.each([
    ["domain/events/event.ts", "node:fs"],
    ["domain/events/event.ts", "fs"],
    ["domain/events/event.ts", "../../handlers/contract/endpoint.ts"],
    ["domain/events/event.ts", "../../adapters/migrate.ts"],
    ["domain/statistics/arm.ts", "../../adapters/migrate.ts"],
    ["domain/events/event.ts", "better-sqlite3"],
    ["handlers/events/track-event.ts", "node:crypto"],
    ["handlers/events/track-event.ts", "../../adapters/http/edge.ts"],
    ["handlers/events/track-event.ts", "aws-lambda"],
    ["handlers/events/track-event.ts", "better-sqlite3"],
    ["adapters/sqlite/events.ts", "../../handlers/endpoint.ts"],
    ["adapters/sqlite/events.ts", "../http/edge.ts"],
    ["adapters/rollups/reader.ts", "node:fs"],
    ["adapters/rollups/reader.ts", "pg"],
    ["adapters/rollups/reader.ts", "../sqlite/storage.ts"],
    ["adapters/sqlite/events.ts", "../settings.ts"],
    ["adapters/sqlite/events.ts", "../postgres/storage.ts"],
    ["adapters/sqlite/events.ts", "pg"],
    ["adapters/postgres/events.ts", "better-sqlite3"],
    ["adapters/http/edge.ts", "../sqlite/storage.ts"],
    ["adapters/http/edge.ts", "better-sqlite3"],
    ["adapters/server.ts", "better-sqlite3"],
    ["web/client/client.ts", "../../handlers/contract/endpoint.ts"],
    ["web/client/client.ts", "../../domain/events/event.ts"],
    ["web/client/client.ts", "node:fs"],
  ])("reports %s if it imports %s", (file, imported) => {
    expect(violationsOf(file, `import { x } from "${imported}";`)).toHaveLength(1);
  });

  test.each([
    ["domain/events/event.ts", 'import { z } from "zod";'],
    ["domain/experiments/assignment.ts", 'import { sha256 } from "@noble/hashes/sha2.js";'],
    ["handlers/events/track-event.ts", 'import { stamp } from "../../domain/events/event.ts";'],
    ["adapters/rollups/reader.ts", 'import { HOUR } from "../../domain/time.ts";'],
    ["adapters/sqlite/storage.ts", 'import { FORMAT } from "../rollups/store.ts";'],
    ["adapters/sqlite/storage.ts", 'import { pendingMigrations } from "../migrate.ts";'],
    ["adapters/sqlite/storage.ts", 'import { mkdirSync } from "node:fs";'],
    ["adapters/sqlite/storage.ts", 'import Sqlite from "better-sqlite3";'],
    ["adapters/http/edge.ts", 'import { Failure } from "../../domain/failure.ts";'],
    ["adapters/http/edge.ts", 'import type { Settings } from "../settings.ts";'],
    ["adapters/main.ts", 'await import("./sqlite/storage.ts");'],
    ["web/client/client.ts", 'import { choose } from "../../domain/experiments/assignment.ts";'],
    ["web/client/client.ts", 'import type { EventInput } from "../../domain/events/event.ts";'],
  ])("allows %s to contain %s", (file, text) => {
    expect(violationsOf(file, text)).toEqual([]);
  });

  test("resolves an imported file to its path in the project", () => {
    expect(relative(root, fileURLToPath(import.meta.url))).toBe("test/architecture.test.ts");
    expect(targetOf("adapters/sqlite/storage.ts", "../migrate.ts")).toBe("adapters/migrate.ts");
  });
});
