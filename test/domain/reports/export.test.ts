import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PropertySummary, TypeSummary } from "../../../domain/reports/catalogue.ts";
import type { StoredEvent } from "../../../domain/reports/event-list.ts";
import { csvOf, ndjson } from "../../../domain/reports/export.ts";

const eventOf = (changes: Partial<StoredEvent> = {}): StoredEvent => ({
  id: 7,
  event_type: "view",
  user_id: "ann",
  session_id: null,
  properties: null,
  client_timestamp: null,
  created_at: Date.parse("2026-11-22T10:00:00.123Z"),
  occurred_at: Date.parse("1969-12-31T23:59:59.999Z"),
  ...changes,
});

const propertyOf = (name: string, count: number): PropertySummary => ({
  name,
  value_types: { string: count },
});

const typeOf = (event_type: string, ...properties: PropertySummary[]): TypeSummary => ({
  event_type,
  count: 100,
  first_seen: 0,
  last_seen: 0,
  properties,
  may_have_more_properties: false,
});

const FIXED = "id,timestamp,client_timestamp,created_at,event_type,user_id,session_id";
const TIMES = "7,1969-12-31T23:59:59.999Z,,2026-11-22T10:00:00.123Z";

/** One event in an export whose properties have these columns. */
const csvLine = (event: StoredEvent, ...names: string[]): string =>
  csvOf([typeOf("view", ...names.map((name) => propertyOf(name, 1)))], []).line(event);

/** Parses the cells of one line by RFC 4180: quotes within a quoted cell are doubled. */
function cellsOf(line: string): string[] {
  const cells = line.replace(/\r\n$/, "").match(/(?<=^|,)("(?:[^"]|"")*"|[^",]*)(?=,|$)/g) ?? [];
  return cells.map((cell) => cell.replace(/^"|"$/g, "").replaceAll('""', '"'));
}

describe("a line of JSON", () => {
  test("holds the fields of an event in the list", () => {
    expect(ndjson.line(eventOf({ properties: '{"plan":"pro"}' }))).toBe(
      '{"id":7,"event_type":"view","user_id":"ann","session_id":null,"timestamp":"1969-12-31T23:59:59.999Z","client_timestamp":null,"created_at":"2026-11-22T10:00:00.123Z","properties":{"plan":"pro"}}\n',
    );
  });

  test("is a single line for any property value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const line = ndjson.line(eventOf({ properties: JSON.stringify({ value }, null, indent) }));
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(JSON.parse(line).properties).toEqual(JSON.parse(JSON.stringify({ value })));
      }),
    );
  });

  test("copies digit by digit a stored number that a double would round", () => {
    const line = ndjson.line(eventOf({ properties: '{\r\n  "order": 9007199254740993\n}' }));
    expect(line).toMatch(/"properties":\{ {3}"order": 9007199254740993 \}\}\n$/);
  });

  test.each(["", "[1]", "no JSON", "null"])("has no properties if the stored text is %j", (properties) => {
    expect(JSON.parse(ndjson.line(eventOf({ properties }))).properties).toEqual({});
  });

  test("leaves a text that looks like a formula unchanged", () => {
    expect(JSON.parse(ndjson.line(eventOf({ user_id: "=1+1" })))).toMatchObject({ user_id: "=1+1" });
  });
});

describe("the head of a CSV file", () => {
  test("begins with a byte order mark", () => {
    expect(csvOf([], []).head).toBe(`\uFEFF${FIXED},other_properties\r\n`);
  });

  test("has a column for each property of the exported types, the most frequent first", () => {
    const types = [
      typeOf("view", propertyOf("page", 5), propertyOf("plan", 3)),
      typeOf("buy", propertyOf("plan", 4), propertyOf("price", 5)),
      typeOf("error", propertyOf("stack", 50)),
    ];
    expect(csvOf(types, ["view", "buy"]).head).toBe(
      `\uFEFF${FIXED},"properties.plan","properties.page","properties.price",other_properties\r\n`,
    );
    expect(csvOf(types, []).head).toContain('session_id,"properties.stack","properties.plan",');
  });

  test("has at most 100 property columns", () => {
    const many = Array.from({ length: 300 }, (_, index) => propertyOf(`p${index}`, 300 - index));
    const columns = cellsOf(csvOf([typeOf("view", ...many)], []).head);
    expect([columns.length, columns.at(-2), columns.at(-1)]).toEqual([
      108,
      "properties.p99",
      "other_properties",
    ]);
  });

  test("quotes a property name that contains quotes, commas and line breaks", () => {
    expect(csvOf([typeOf("view", propertyOf('a "b",\nc', 1))], []).head).toContain(
      ',"properties.a ""b"",\nc",',
    );
  });
});

describe("a line of CSV", () => {
  test("leaves a cell empty without a value", () => {
    expect(csvLine(eventOf(), "plan")).toBe(`${TIMES},"view","ann",,,\r\n`);
  });

  test("writes each kind of value so that a spreadsheet reads it as that kind", () => {
    const properties = '{"a":"x","b":-1.5,"c":true,"d":null,"e":[1,"y"],"f":{"g":2}}';
    expect(csvLine(eventOf({ properties }), "a", "b", "c", "d", "e", "f")).toBe(
      `${TIMES},"view","ann",,"x",-1.5,true,,"[1,""y""]","{""g"":2}",\r\n`,
    );
  });

  test("keeps properties without a column as JSON in the last one", () => {
    expect(csvLine(eventOf({ properties: '{"rare":1,"plan":"pro","rarer":null}' }), "plan")).toBe(
      `${TIMES},"view","ann",,"pro","{""rare"":1,""rarer"":null}"\r\n`,
    );
  });

  test("reads no property from the prototype of an object", () => {
    expect(csvLine(eventOf({ properties: "{}" }), "constructor", "toString")).toBe(
      `${TIMES},"view","ann",,,,\r\n`,
    );
  });

  test("quotes a text that contains quotes, commas and line breaks", () => {
    expect(csvLine(eventOf({ user_id: 'a "b", c', properties: '{"text":"x\\ny"}' }), "text")).toBe(
      `${TIMES},"view","a ""b"", c",,"x\ny",\r\n`,
    );
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠A1"])(
    "keeps a spreadsheet from running %j as a formula",
    (text) => {
      const event = eventOf({
        event_type: text,
        user_id: text,
        session_id: text,
        properties: JSON.stringify({ text }),
      });
      expect(cellsOf(csvLine(event, "text")).slice(4, 8)).toEqual(Array(4).fill(`'${text}`));
    },
  );

  test.each(["a=1", "1-1", "'=1", "ann@example.com", ""])("leaves %j unchanged", (text) => {
    expect(cellsOf(csvLine(eventOf({ user_id: text })))[5]).toBe(text);
  });

  test("keeps every text, and begins no cell with the first character of a formula", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (user_id, plan) => {
        const event = eventOf({ user_id, properties: JSON.stringify({ plan }) });
        const [, , , , , user = "", , shownPlan = ""] = cellsOf(csvLine(event, "plan"));
        for (const [shown, text] of [
          [user, user_id],
          [shownPlan, plan],
        ]) {
          expect(shown).not.toMatch(/^[=+\-@＝＋－＠\t\r\n]/);
          expect([text, `'${text}`]).toContain(shown);
        }
      }),
    );
  });
});
