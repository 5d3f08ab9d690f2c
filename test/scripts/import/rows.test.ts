import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { arrayElements, jsonLines, MAX_ROW_CHARACTERS } from "../../../scripts/import/json-texts.ts";
import { openExport } from "../../../scripts/import/rows.ts";

const folder = mkdtempSync(join(tmpdir(), "analytics-rows-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function rowsOf(name: string, contents: string | Buffer) {
  const file = join(folder, name);
  writeFileSync(file, contents);
  const { rows } = await openExport(file);
  return collected(rows);
}

/** A text in chunks of any lengths. */
async function* chunksOf(text: string, lengths: readonly number[]): AsyncGenerator<string> {
  let at = 0;
  for (let turn = 0; at < text.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield text.slice(at, at + length);
    at += length;
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

test("the elements of a JSON array are those that JSON.parse finds, however it is cut into chunks", async () => {
  const cases = [fc.array(fc.jsonValue()), lengths, fc.constantFrom(undefined, 2)] as const;
  await fc.assert(
    fc.asyncProperty(...cases, async (values, cuts, indent) => {
      const texts = await collected(arrayElements(chunksOf(JSON.stringify(values, null, indent), cuts)));
      expect(texts.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 500 },
  );
});

test("lines of JSON are read whole, however they are cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue()), lengths, async (values, cuts) => {
      const text = values.map((value) => `${JSON.stringify(value)}\r\n`).join("\n");
      const lines = await collected(jsonLines(chunksOf(text, cuts)));
      expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 500 },
  );
});

const two = [{ fields: { a: "1" } }, { fields: { a: "2" } }];

test.each([
  ["CSV", "a\n1\n2\n"],
  ["CSV with a byte order mark and Windows' line ends", "\ufeffa\r\n1\r\n\r\n2"],
  ["lines of JSON", '{"a":"1"}\n\n{"a":"2"}\n'],
  ["a JSON array", '\n [ {"a":"1"},\n {"a":"2"} ]\n'],
])("a file of %s is read, also compressed", async (_format, text) => {
  expect(await rowsOf("plain", text)).toEqual(two);
  expect(await rowsOf("packed.gz", gzipSync(text))).toEqual(two);
});

test("an empty file has no rows", async () => {
  expect(await rowsOf("empty", "")).toEqual([]);
  expect(await rowsOf("blank", " \n \n")).toEqual([]);
});

test("rows with fewer and with more values than the header keep those that have a name", async () => {
  expect(await rowsOf("ragged.csv", "a,b\n1\n1,2,3\n")).toEqual([
    { fields: { a: "1" } },
    { fields: { a: "1", b: "2" } },
  ]);
});

test("an array that is cut off loses its last element alone", async () => {
  expect(await rowsOf("cut.json", '[{"a":"1"},{"a":"2"},{"a":')).toEqual([
    ...two,
    { fault: "is not valid JSON" },
  ]);
});

test("an archive is refused with what to do", async () => {
  await expect(rowsOf("export.zip", "PK\u0003\u0004")).rejects.toThrow(/is an archive: unpack it/);
});

test("a compressed file that is cut off is an error", async () => {
  const packed = gzipSync("a\n1\n".repeat(1_000));
  await expect(rowsOf("cut.gz", packed.subarray(0, packed.length / 2))).rejects.toThrow(
    "unexpected end of file",
  );
});

test.each([
  ["a line", "{", "a".repeat(MAX_ROW_CHARACTERS)],
  ["an element of an array", '[{"', "a".repeat(MAX_ROW_CHARACTERS)],
  ["a row of CSV", 'a\n"', "a".repeat(MAX_ROW_CHARACTERS)],
])("%s without an end is not read to its end", async (_kind, start, rest) => {
  await expect(rowsOf("endless", `${start}${rest}${rest}`)).rejects.toThrow(
    /more than 16777216 characters|Max Record Size/,
  );
});
