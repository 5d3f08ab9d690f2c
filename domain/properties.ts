import { z } from "zod";
import type { Fault } from "./failure.ts";

const MAX_DEPTH = 8;
const MAX_KEYS = 255;

/** What an event carries besides its fixed fields: a JSON object, bounded so that no query has to defend itself. */
export type Properties = { readonly [name: string]: unknown };

interface Walk {
  keys: number;
  readonly faults: Fault[];
}

function checkKey(key: string, path: string, walk: Walk): void {
  walk.keys += 1;
  // JSON.parse makes it an own key, but the first copy of the object would turn it into a prototype.
  if (key === "__proto__") walk.faults.push({ path, message: "must not be named __proto__" });
}

function checkValue(value: unknown, path: string, depth: number, walk: Walk): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    walk.faults.push({ path, message: "must be a finite number" });
  } else if (typeof value === "object" && value !== null) {
    checkContainer(value, path, depth, walk);
  }
}

function checkContainer(value: object, path: string, depth: number, walk: Walk): void {
  if (depth > MAX_DEPTH) {
    walk.faults.push({ path, message: `must not be nested deeper than ${MAX_DEPTH} levels` });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkValue(item, `${path}[${index}]`, depth + 1, walk);
  } else {
    for (const [key, item] of Object.entries(value)) {
      const inner = path === "" ? key : `${path}.${key}`;
      checkKey(key, inner, walk);
      checkValue(item, inner, depth + 1, walk);
    }
  }
}

function faultsOf(properties: object): readonly Fault[] {
  const walk: Walk = { keys: 0, faults: [] };
  checkContainer(properties, "", 1, walk);
  if (walk.keys <= MAX_KEYS) return walk.faults;
  return [...walk.faults, { path: "", message: `must have at most ${MAX_KEYS} keys, nested ones included` }];
}

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// z.record would copy every property of every event, at more than the cost of all other checks together.
export const Properties = z
  .custom<Properties>(isObject, { error: "must be a JSON object", abort: true })
  .superRefine((properties, context) => {
    for (const { path, message } of faultsOf(properties)) {
      context.addIssue({ code: "custom", path: path === "" ? [] : [path], message });
    }
  })
  .meta({
    type: "object",
    description: `At most ${MAX_KEYS} keys in all, nested at most ${MAX_DEPTH} levels deep.`,
  });
