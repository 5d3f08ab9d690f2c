import fc from "fast-check";
import { expect, test } from "vitest";
import type { z } from "zod";
import { EventInput, usualEvent } from "../../../domain/events/event.ts";
import { MetricInput, usualMetric } from "../../../domain/experiments/metric.ts";
import type { UsualForm } from "../../../domain/usual.ts";
import { TestPath, usualTestPath } from "../../../handlers/contract/endpoint.ts";
import { trackEvents } from "../../../handlers/events/track-events.ts";
import { AssignInput, usualUser } from "../../../handlers/experiments/assignments/assign-variant.ts";
import { anyJson } from "../../any-json.ts";
import { cases } from "../../random.ts";

interface Case {
  readonly schema: z.ZodType;
  readonly usual: UsualForm<unknown>;
  readonly valid: unknown;
}

const MESSAGE_ID = "0199c0de-0000-7000-8000-000000000001";
const EVENT = {
  event_type: "page_view",
  user_id: "ann",
  session_id: null,
  properties: { page: "home", list: [1, { deep: null }] },
  message_id: MESSAGE_ID,
  timestamp: "2026-11-22T10:00:00.000+01:00",
};
const METRIC = {
  user_id: "ann",
  metric_name: "purchase",
  value: 2.5,
  message_id: MESSAGE_ID,
  timestamp: 1_790_000_000_000.5,
};

const CASES = {
  "an event": { schema: EventInput, usual: usualEvent, valid: EVENT },
  "an event of one field": { schema: EventInput, usual: usualEvent, valid: { event_type: "click" } },
  "a metric value": { schema: MetricInput, usual: usualMetric, valid: METRIC },
  "a metric value of 1": {
    schema: MetricInput,
    usual: usualMetric,
    valid: { user_id: "ann", metric_name: "signup" },
  },
  "a user": { schema: AssignInput, usual: usualUser, valid: { user_id: "ann" } },
  "a test's path": { schema: TestPath, usual: usualTestPath, valid: { test_id: "42" } },
  "a list of items": {
    schema: trackEvents.body ?? EventInput,
    usual: trackEvents.usual?.body ?? usualEvent,
    valid: [EVENT],
  },
} satisfies Record<string, Case>;

const NAMES = ["", " ", "ann", "a".repeat(200), "a".repeat(201), "tab\t", "\u202e", "\ud800", "größe", "💡"];
const TIMES = ["2026-11-22", "2026-11-22T10:00Z", "2026-02-30T10:00:00Z", 1_790_000_000, 1.79e12, 1.79e18];
const NUMBERS = [0, -0, 1e12, 1e12 + 1, -1e12, Number.POSITIVE_INFINITY, Number.NaN, 0.1];
const OBJECTS = [{}, [], { a: { b: [Number.POSITIVE_INFINITY] } }, JSON.parse('{"__proto__": 1}')];
const IDS = ["0", "01", "1".repeat(15), "1".repeat(16), "x".repeat(100), "x".repeat(101)];

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
const wide = (keys: number): unknown =>
  Object.fromEntries(Array.from({ length: keys }, (_, key) => [`key ${key}`, key]));

/** A value of a field, most of them at the edge of some rule. */
const fieldValue = fc.oneof(
  fc.constantFrom<unknown>(...NAMES, ...TIMES, ...NUMBERS, ...OBJECTS, ...IDS, null, undefined, true),
  fc.integer({ min: 6, max: 10 }).map(deep),
  fc.integer({ min: 253, max: 257 }).map(wide),
  anyJson,
);

/** The valid value with some of its fields changed, or with fields that it does not have; or any other value. */
const near = (valid: unknown): fc.Arbitrary<unknown> => {
  if (typeof valid !== "object" || valid === null || Array.isArray(valid)) return anyJson;
  const fields = fc.constantFrom(
    ...Object.keys(EVENT),
    ...Object.keys(METRIC),
    "test_id",
    "__proto__",
    "other",
  );
  return fc.dictionary(fields, fieldValue, { maxKeys: 3 }).map((changes) => ({ ...valid, ...changes }));
};

for (const [name, { schema, usual, valid }] of Object.entries(CASES)) {
  test(`${name} in its usual form needs no schema`, () => {
    expect(usual(valid)).toEqual(schema.parse(valid));
  });

  test(`${name} that needs no schema is what the schema makes of it`, () => {
    fc.assert(
      fc.property(
        fc.oneof({ weight: 4, arbitrary: near(valid) }, { weight: 1, arbitrary: anyJson }),
        (value) => {
          const taken = usual(value);
          if (taken === undefined) return;
          expect(schema.safeParse(value)).toEqual({ success: true, data: taken });
        },
      ),
      { numRuns: cases(2_000) },
    );
  });
}

for (const name of ["an event", "an event of one field", "a metric value", "a metric value of 1"] as const) {
  test(`${name} needs the schema only where it is refused`, () => {
    const { schema, usual, valid } = CASES[name];
    fc.assert(
      fc.property(near(valid), (value) => {
        expect(usual(value) !== undefined).toBe(schema.safeParse(value).success);
      }),
      { numRuns: cases(2_000) },
    );
  });
}
