import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Script } from "node:vm";
import { gzipSync } from "node:zlib";
import { expect, inject, test } from "vitest";
import type {} from "../../end-to-end/global-setup.ts";

const LOADS = /\bimport\s*[("'{*]|\bfrom\s*"|\brequire\(/g;

const file = (name: string) => readFile(join(inject("project"), "dist/web", name));

async function compressedSize(...names: string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => gzipSync(await file(name), { level: 9 }).length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test.each<[string, number, string[]]>([
  ["the browser client", 2.6, ["client.js"]],
  ["the browser client with page views", 3.2, ["client.js", "page-views.js"]],
  ["the script of a classic tag", 3.2, ["script.js"]],
  ["the client with a login", 3.2, ["visitor.js"]],
])("%s costs a page no more than %d KB", async (_, kilobytes, names) => {
  expect(await compressedSize(...names)).toBeLessThanOrEqual(kilobytes * 1024);
});

test.each(["client.js", "visitor.js"])(
  "%s loads nothing but the page views that are asked for",
  async (name) => {
    const code = (await file(name)).toString();
    expect(code.match(LOADS)).toEqual(["import("]);
    expect(code).toContain('import("./page-views.js")');
  },
);

test.each(["page-views.js", "script.js", "node.js"])("%s loads nothing else", async (name) => {
  expect((await file(name)).toString()).not.toMatch(LOADS);
});

test("the script of a classic tag exports nothing, which would be a syntax error there", async () => {
  const code = (await file("script.js")).toString();
  expect(() => new Script(code)).not.toThrow();
});
