import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort, spawnNode, stopChild } from "../bench/processes.ts";
import { ask, eventually } from "./client.ts";
import { quickStarts, shop } from "./quick-starts.ts";

const run = promisify(execFile);

test("docs/quick-starts.md has a program for each of these", async () => {
  expect([...(await quickStarts()).keys()]).toEqual([
    "Plain page",
    "React 19",
    "Vue",
    "Next",
    "Express",
    "Fastify",
    "Hono",
    "Python",
    "curl",
  ]);
});

test.each(["Express", "Fastify", "Hono"])(
  "the quick start for %s shows each user their variant, and stores a sign-up",
  async (title) => {
    const { folder, program, variantOf, expectCounts } = await shop(onTestFinished);
    const port = await freePort();
    const file = join(folder, "program.mjs");
    await writeFile(file, await program(title, port));
    const child = spawnNode({ args: [file], cwd: folder });
    onTestFinished(() => stopChild(child));
    const url = `http://127.0.0.1:${port}`;
    for (const user of ["ann", "bob"]) {
      const page = await eventually(() => ask(url, { path: `/shop/${user}` }));
      expect(page.headers["content-type"]).toMatch(/^text\/html/);
      expect(page.body).toBe(`<button class="${await variantOf(user)}">Buy</button>`);
    }
    expect((await ask(url, { method: "POST", path: "/shop/ann/signup" })).status).toBe(204);
    await expectCounts({ users: 2, signups: 1 });
  },
);

/** Takes the place of Next's module: the cookies of the request. */
const NEXT_HEADERS = `export const cookies = async () => ({
  get: (name) => globalThis.requestCookies[name] && { value: globalThis.requestCookies[name] },
});`;

const NEXT_RENDERER = `export { default as Page } from "./page.tsx";
  export { renderToStaticMarkup } from "react-dom/server";`;

test("the quick start for Next knows the variant before it answers, and stores a sign-up", async () => {
  const { folder, program, variantOf, expectCounts } = await shop(onTestFinished);
  await writeFile(join(folder, "page.tsx"), await program("Next"));
  await writeFile(join(folder, "headers.mjs"), NEXT_HEADERS);
  const outfile = join(folder, "page.mjs");
  await build({
    absWorkingDir: folder,
    stdin: { contents: NEXT_RENDERER, resolveDir: folder },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    jsx: "automatic",
    alias: { "next/headers": join(folder, "headers.mjs") },
    external: ["react", "react-dom"],
  });
  const { Page, renderToStaticMarkup } = await import(pathToFileURL(outfile).href);
  const request = async (requestCookies: object) => {
    Object.assign(globalThis, { requestCookies });
    const element = await Page();
    return { element, html: renderToStaticMarkup(element) };
  };
  expect((await request({})).html).toContain('<button class="red">Buy</button>');
  const { element, html } = await request({ visitor: "ann" });
  expect(html).toContain(`<button class="${await variantOf("ann")}">Buy</button>`);
  await element.props.action();
  await expectCounts({ users: 1, signups: 1 });
});

test("the quick start for curl is answered by the server", async () => {
  const { program, variantOf, expectCounts } = await shop(onTestFinished);
  const { stdout } = await run("bash", ["-e", "-c", await program("curl")]);
  expect(stdout).toContain(`"variant":"${await variantOf("ann")}"`);
  await expectCounts({ users: 1, signups: 1 });
});

const python = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "python3"))
  .find((program) => existsSync(program));

// In CI, where there must be one, the test fails without it.
describe.skipIf(python === undefined && !process.env.CI)("with Python installed", () => {
  test("the quick start for Python shows the user's variant, and stores a sign-up", async () => {
    const { program, variantOf, expectCounts } = await shop(onTestFinished);
    const { stdout } = await run(python ?? "python3", ["-c", await program("Python")]);
    expect(stdout.trim()).toBe(await variantOf("ann"));
    await expectCounts({ users: 1, signups: 1 });
  });
});
