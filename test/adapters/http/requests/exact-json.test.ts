import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactly } from "../../../../adapters/http/requests/exact-json.ts";
import { openEdge } from "../../../world.ts";

const [MAX, TOO_LARGE] = ["9007199254740991", "9007199254740992"];

test.each<[string, string, unknown]>([
  ["the largest safe integers", `[${MAX},-${MAX}]`, [Number(MAX), -Number(MAX)]],
  ["integers beyond the safe range", `[${TOO_LARGE},-${TOO_LARGE}]`, [Infinity, -Infinity]],
  ["an integer that is rounded down", "9007199254740993", Infinity],
  ["a 64-bit id, deep in objects", '{"a":[{"b":1234567890123456789}]}', { a: [{ b: Infinity }] }],
  ["an integer of 400 digits", "9".repeat(400), Infinity],
  ["a number written with an exponent", "[1e20,6.02214076E+23]", [1e20, 6.02214076e23]],
  [
    "a fraction with many digits",
    "[0.12345678901234567890,3.141592653589793238]",
    [0.12345678901234568, Math.PI],
  ],
  [
    "digits in a string",
    '["1234567890123456789","a\\"1234567890123456789"]',
    ["1234567890123456789", 'a"1234567890123456789'],
  ],
  ["digits in a field name", '{"1234567890123456789":1}', { "1234567890123456789": 1 }],
  ["a string that ends with a backslash", '["\\\\",1234567890123456789]', ["\\", Infinity]],
])("%s", (_name, text, value) => {
  expect(parseExactly(text)).toEqual(value);
});

test.each([
  "12345678901234567890x",
  '"1234567890123456789',
  "[12345678901234567890",
  "01234567890123456789",
  "",
])("%j is not JSON", (text) => {
  expect(() => parseExactly(text)).toThrow(SyntaxError);
});

test("parsing agrees with JSON.parse on every value without an unsafe integer", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(20), (text, indent) => {
      const value = JSON.parse(text);
      // A run of digits forces the slow pass on values without such an integer.
      const wrapped = JSON.stringify({ value, digits: "1".repeat(30) }, undefined, indent);
      const numbers = wrapped.match(/\d{16,}/g) ?? [];
      fc.pre(numbers.length === 1);
      expect(parseExactly(wrapped)).toEqual({ value, digits: "1".repeat(30) });
    }),
  );
});

test("an integer is parsed as finite exactly if it is safe", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (integer) => {
      const [parsed] = parseExactly(`[${integer}]`) as [number];
      expect(Number.isFinite(parsed)).toBe(integer >= -(2n ** 53n) + 1n && integer <= 2n ** 53n - 1n);
      if (Number.isFinite(parsed)) expect(BigInt(parsed)).toBe(integer);
    }),
  );
});

const EXACT = "must be a finite number, at most 9007199254740991 either side where it is whole";

test("a batch refuses an item with an unsafe integer by path, and stores the others", async () => {
  const { send } = openEdge();
  const items = [
    '{"event_type":"buy","properties":{"order":9007199254740993}}',
    '{"event_type":"buy","properties":{"order":"9007199254740993"}}',
  ];
  for (const [type, body] of [
    ["application/json", `[${items}]`],
    ["application/x-ndjson", items.join("\n")],
  ] as const) {
    const headers = { "content-type": type };
    const answer = await send({ method: "POST", path: "/apiv1/events/batch", headers, body });
    expect(answer).toMatchObject({
      status: 207,
      body: {
        accepted: 1,
        results: [
          { errors: [{ path: "properties.order", message: `${EXACT}: send it as text` }] },
          { success: true },
        ],
      },
    });
  }
});

test("a broken line does not hide an unsafe integer in the next line", async () => {
  const { send } = openEdge();
  const body = [
    '{"event_type":"',
    '{"event_type":"a","properties":{"n":9007199254740993}}',
    '{"event_type":"b"}',
  ];
  const headers = { "content-type": "application/x-ndjson" };
  const answer = await send({ method: "POST", path: "/apiv1/events/batch", headers, body: body.join("\n") });
  expect(answer.body).toMatchObject({ accepted: 1, rejected: 2 });
});

test("fields of an experiment refuse unsafe integers", async () => {
  const { send } = openEdge();
  const variants = '[{"variant_name":"a"},{"variant_name":"b","weight":9007199254740993}]';
  const body = `{"test_name":"t","planned_users":9007199254740993,"variants":${variants}}`;
  const { body: answer } = await send({ method: "POST", path: "/apiv1/ab-tests", body });
  expect(answer).toMatchObject({
    errors: [
      { path: "variants[1].weight", message: EXACT },
      { path: "planned_users", message: EXACT },
    ],
  });
});

test("a stored number is exported digit by digit and found only by its exact value", async () => {
  const { send } = openEdge();
  const orders = ["9007199254740993", "9007199254740992", "9007199254740991"];
  const body = `[${orders.map((order) => `{"event_type":"buy","properties":{"order":"${order}"}}`)}]`;
  await send({ method: "POST", path: "/apiv1/events/batch", body });
  const { body: lines } = await send({ path: "/apiv1/events/export" });
  expect(String(lines).match(/"order":"\d+"/g)).toEqual(
    orders.toReversed().map((order) => `"order":"${order}"`),
  );
  const { body: list } = await send({ path: `/apiv1/events?where[order]=${orders[0]}` });
  expect(list).toMatchObject({ events: [{ properties: { order: orders[0] } }] });
});

// A parser with quadratic time would exceed the time limit of the test.
test("5 MiB of digits, quotes or backslashes are parsed in linear time", () => {
  const size = 5 * 1024 * 1024;
  const long = "1234567890123456789";
  const count = (part: string): number => Math.floor(size / part.length);
  for (const part of [`"${long}",`, '"\\"",', `"${"x".repeat(900)}",`, "123456789012345,"]) {
    const parsed = parseExactly(`[${part.repeat(count(part))}${long}]`) as unknown[];
    expect(parsed.at(-1)).toBe(Number.POSITIVE_INFINITY);
  }
});
