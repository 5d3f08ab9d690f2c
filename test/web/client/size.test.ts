import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, inject, test } from "vitest";
import type {} from "../../end-to-end/global-setup.ts";

const file = (name: string) => readFile(join(inject("project"), "dist/web", name));

test("the browser client costs a page no more than 2.6 KB", async () => {
  expect(gzipSync(await file("client.js"), { level: 9 }).length).toBeLessThanOrEqual(2.6 * 1024);
});

test("the client with a login costs a page no more than 3.2 KB", async () => {
  expect(gzipSync(await file("visitor.js"), { level: 9 }).length).toBeLessThanOrEqual(3.2 * 1024);
});

test.each(["client.js", "visitor.js", "node.js"])("%s loads nothing else", async (name) => {
  expect((await file(name)).toString()).not.toMatch(/\bimport\s*[("'{*]|\bfrom\s*"|\brequire\(/);
});
