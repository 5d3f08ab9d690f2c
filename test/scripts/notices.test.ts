import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";

const dist = join(inject("project"), "dist");
const notices = await readFile(join(dist, "THIRD-PARTY-NOTICES.txt"), "utf8");
const sections = notices.split("-".repeat(80)).slice(1);
const entries = [...notices.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \(([^)]+)\)$/gm)];

// The Unlicense dedicates the code to the public domain.
const PERMISSIVE = /^(?:MIT|MIT-0|Unlicense|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BSL-1\.0)$/;

/** The packages in a bundle, according to its source map. */
async function bundledNames(): Promise<string[]> {
  const maps = (await readdir(dist)).filter((name) => /\.[cm]js\.map$/.test(name));
  const texts = await Promise.all(maps.map((name) => readFile(join(dist, name), "utf8")));
  const sources = texts.flatMap((text) => (JSON.parse(text) as { sources: string[] }).sources);
  const names = sources.map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]);
  return [...new Set(names)].filter((name) => name !== undefined);
}

test("every package in the bundles of the server has a notice", async () => {
  const listed = entries.map(([, name]) => name);
  const bundled = await bundledNames();
  expect(bundled).toContain("zod");
  expect(bundled.filter((name) => !listed.includes(name))).toEqual([]);
});

test("every package in the dashboard has a notice", () => {
  expect(entries.map(([, name]) => name)).toEqual(expect.arrayContaining(["preact", "uplot"]));
});

test("every bundled package has a permissive licence", () => {
  const licences = entries.flatMap(([, , licence = ""]) => licence.split(" AND "));
  expect([...new Set(licences)].filter((licence) => !PERMISSIVE.test(licence))).toEqual([]);
});

test("every notice contains the text or copyright line that its licence requires", () => {
  expect(sections.filter((section) => !/copyright|permission/i.test(section))).toEqual([]);
});
