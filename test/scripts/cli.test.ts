import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { readSettings } from "../../adapters/settings.ts";
import packageJson from "../../package.json" with { type: "json" };

const cli = join(inject("project"), "dist/cli.mjs");

/** Runs the program of the package, as npm's script of that name where one is given. */
async function call(args: readonly string[], script?: string) {
  const env = { PATH: process.env.PATH, npm_lifecycle_event: script };
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { env });
  return stdout;
}

const COMMANDS = [...(await call(["--help"])).matchAll(/^ {2}([a-z]+) {2,}[a-z]/gm)].map(
  ([, name = ""]) => name,
);

test("the help lists every command that package.json has a script for", () => {
  const scripts = Object.entries(packageJson.scripts).filter(([, line]) => line.includes("scripts/run.mjs"));
  expect(scripts.length).toBeGreaterThan(3);
  expect(COMMANDS).toEqual(expect.arrayContaining(scripts.map(([name]) => name)));
});

test.each(COMMANDS)("%s --help shows how to call it, by its program and by npm", async (name) => {
  expect(await call([name, "--help"])).toMatch(new RegExp(`^analytics-server ${name}\\b`));
  expect(await call([name, "--help"], name)).toMatch(new RegExp(`^npm run ${name} --`));
});

const documents = ["README.md", ...readdirSync("docs").map((name) => join("docs", name))].filter((path) =>
  path.endsWith(".md"),
);

test.each(COMMANDS)("%s is in the documentation", (name) => {
  const texts = documents.map((path) => readFileSync(path, "utf8")).join("\n");
  expect(texts).toMatch(new RegExp(`(?:npm run|analytics-server) ${name}\\b`));
});

test("--version prints the version", async () => {
  expect(await call(["--version"])).toBe(`${packageJson.version}\n`);
});

test("an unknown command is refused with the nearest known one", async () => {
  await expect(call(["bakup"])).rejects.toMatchObject({
    code: 1,
    stderr: "There is no command bakup. Did you mean backup? analytics-server --help lists all.\n",
  });
});

test("the keys are accepted as settings, and are new each time", async () => {
  const [first, second] = [await call(["keys"]), await call(["keys"])];
  expect(first).not.toBe(second);
  const variables = Object.fromEntries(
    first
      .trim()
      .split("\n")
      .map((line) => line.split("=")),
  );
  const { keys } = readSettings(variables);
  expect([keys?.write.length, keys?.read.length, keys?.admin.length]).toEqual([1, 1, 1]);
});
