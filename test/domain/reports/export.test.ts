import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredEvent } from "../../../domain/reports/event-list.ts";
import { csvHead, csvLine, jsonLine } from "../../../domain/reports/export.ts";

const eventOf = (changes: Partial<StoredEvent> = {}): StoredEvent => ({
  id: 7,
  event_type: "view",
  user_id: "ann",
  session_id: null,
  properties: null,
  created_at: Date.parse("2026-11-22T10:00:00.123Z"),
  occurred_at: Date.parse("1969-12-31T23:59:59.999Z"),
  ...changes,
});

/** The cells of one line, read as RFC 4180 says: quotes are doubled within quotes. */
function cellsOf(line: string): string[] {
  const cells = line.replace(/\r\n$/, "").match(/(?<=^|,)("(?:[^"]|"")*"|[^",]*)(?=,|$)/g) ?? [];
  return cells.map((cell) => cell.replace(/^"|"$/g, "").replaceAll('""', '"'));
}

describe("a line of JSON", () => {
  test("is the event as a list shows it", () => {
    expect(jsonLine(eventOf({ properties: '{"plan":"pro"}' }))).toBe(
      '{"id":7,"event_type":"view","user_id":"ann","session_id":null,"properties":{"plan":"pro"},"timestamp":"1969-12-31T23:59:59.999Z","created_at":"2026-11-22T10:00:00.123Z"}\n',
    );
  });

  test("is one line, whatever the event holds", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const line = jsonLine(eventOf({ properties: JSON.stringify({ value }) }));
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(JSON.parse(line).properties).toEqual(JSON.parse(JSON.stringify({ value })));
      }),
    );
  });

  test("leaves what looks like a formula as it is", () => {
    expect(JSON.parse(jsonLine(eventOf({ user_id: "=1+1" })))).toMatchObject({ user_id: "=1+1" });
  });
});

describe("a line of CSV", () => {
  test("has the columns that its head names, and nothing where there is nothing", () => {
    expect(csvHead).toBe("id,timestamp,created_at,event_type,user_id,session_id,properties\r\n");
    expect(csvLine(eventOf())).toBe('7,1969-12-31T23:59:59.999Z,2026-11-22T10:00:00.123Z,"view","ann",,\r\n');
  });

  test("quotes what has quotes, commas and line breaks", () => {
    expect(csvLine(eventOf({ user_id: 'a "b", c', properties: '{"text":"x\\ny"}' }))).toBe(
      '7,1969-12-31T23:59:59.999Z,2026-11-22T10:00:00.123Z,"view","a ""b"", c",,"{""text"":""x\\ny""}"\r\n',
    );
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠A1"])(
    "keeps a spreadsheet from reckoning %j",
    (text) => {
      expect(
        cellsOf(csvLine(eventOf({ event_type: text, user_id: text, session_id: text }))).slice(3, 6),
      ).toEqual([`'${text}`, `'${text}`, `'${text}`]);
    },
  );

  test.each(["a=1", "1-1", "'=1", "ann@example.com", ""])("leaves %j as it is", (text) => {
    expect(cellsOf(csvLine(eventOf({ user_id: text })))[4]).toBe(text);
  });

  test("gives back every text, and never begins a cell with what begins a formula", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (user_id, session_id) => {
        const [, , , , user = "", session = ""] = cellsOf(csvLine(eventOf({ user_id, session_id })));
        for (const [shown, text] of [
          [user, user_id],
          [session, session_id],
        ]) {
          expect(shown).not.toMatch(/^[=+\-@＝＋－＠\t\r\n]/);
          expect([text, `'${text}`]).toContain(shown);
        }
      }),
    );
  });
});
