import fc from "fast-check";
import { expect, test } from "vitest";
import { csvOf } from "../../../web/dashboard/parts/csv.ts";

test.each([
  ["1,234,567", "1234567"],
  ["−0.5", "-0.5"],
  ["12.5\u00a0%", "12.5 %"],
  ["+20.3\u00a0%", "+20.3 %"],
  ["1 Nov 2026", "1 Nov 2026"],
  ["two\nlines", "two lines"],
  ["a, b", '"a, b"'],
  ['the "big" one', '"the ""big"" one"'],
  ["1,23", '"1,23"'],
  ["=1+1", "'=1+1"],
  ["@cmd", "'@cmd"],
  ["-cmd", "'-cmd"],
  ["+cmd", "'+cmd"],
  ["\u2068עברית\u2069", "עברית"],
])("the cell %j is the field %j", (shown, field) => {
  expect(csvOf([[shown]])).toBe(`${field}\r\n`);
});

test("rows end with the line break of the format", () => {
  expect(
    csvOf([
      ["Day", "Users"],
      ["1 Nov", "5"],
    ]),
  ).toBe("Day,Users\r\n1 Nov,5\r\n");
});

test("no text becomes a formula, and no text adds a field or a row", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const field = csvOf([[text]]).slice(0, -2);
      expect(field.replace(/^"/, "")).not.toMatch(/^[=@\t\r]/);
      if (field.startsWith('"')) expect(field).toMatch(/^"(?:[^"]|"")*"$/);
      else expect(field).not.toMatch(/[",\r\n]/);
    }),
  );
});
