import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { expect, inject, test } from "vitest";
import { endpoints } from "../../../handlers/contract/endpoints.ts";
import { operations } from "../../../web/dashboard/access/api.ts";
import type {} from "../../end-to-end/global-setup.ts";

const KIB = 1024;
// A third of it is the plot and the rendering library.
const MOST = 90 * KIB;

test("the dashboard's files are small in total", async () => {
  const names = ["dashboard.html", "dashboard.js", "dashboard.css", "icon.svg"];
  const files = names.map((name) => readFile(join(inject("project"), "dist/web", name)));
  const sizes = (await Promise.all(files)).map(async (file) => (await promisify(gzip)(file)).length);
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(total).toBeLessThan(MOST);
});

test("the dashboard calls endpoints with their documented name, route and access", () => {
  const documented = Object.fromEntries(
    endpoints.map(({ name, method, path, access }) => [name, { method, path, access }]),
  );
  for (const [name, operation] of Object.entries(operations)) expect(operation).toEqual(documented[name]);
});
