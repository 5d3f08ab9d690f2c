import { z } from "zod";

const MAX_DEPTH = 8;
const MAX_KEYS = 255;
// A reader needs no more, and each takes as long as checking a whole event.
const MAX_COMPLAINTS = 100;

/** The free-form data of an event: a JSON object of bounded size and depth, so that reports need no limits of their own. */
export type Properties = { readonly [name: string]: unknown };

// An integer that JSON cannot keep exactly arrives as an infinite number, as 1e400 does.
const NOT_EXACT = `must be a finite number, at most ${Number.MAX_SAFE_INTEGER} either side where it is whole: send it as text`;

type Path = readonly (string | number)[];

/** The position of a value. Its path is built for a fault only, because most events have none. */
interface Trail {
  readonly above: Trail | undefined;
  readonly key: string | number;
}

interface Complaint {
  readonly path: Path;
  readonly message: string;
}

interface Walk {
  keys: number;
  readonly complaints: Complaint[];
}

const pathOf = (trail: Trail | undefined): Path =>
  trail === undefined ? [] : [...pathOf(trail.above), trail.key];

function complain(walk: Walk, trail: Trail | undefined, message: string): void {
  walk.complaints.push({ path: pathOf(trail), message });
}

function checkValue(
  value: unknown,
  above: Trail | undefined,
  key: string | number,
  depth: number,
  walk: Walk,
): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    complain(walk, { above, key }, NOT_EXACT);
  } else if (typeof value === "object" && value !== null) {
    checkContainer(value, { above, key }, depth + 1, walk);
  }
}

const isOver = ({ keys, complaints }: Walk): boolean =>
  keys > MAX_KEYS || complaints.length >= MAX_COMPLAINTS;

/** Stops as soon as the outcome cannot change: an object of a million keys costs no more than one of 256. */
function checkContainer(container: object, trail: Trail | undefined, depth: number, walk: Walk): void {
  if (depth > MAX_DEPTH) {
    complain(walk, trail, `must not be nested deeper than ${MAX_DEPTH} levels`);
  } else if (Array.isArray(container)) {
    for (let index = 0; index < container.length && !isOver(walk); index++) {
      checkValue(container[index], trail, index, depth, walk);
    }
  } else {
    for (const key of Object.keys(container)) {
      if (isOver(walk)) return;
      walk.keys += 1;
      // JSON.parse makes it an own key, but the first copy of the object would turn it into a prototype.
      if (key === "__proto__") complain(walk, { above: trail, key }, "must not be named __proto__");
      checkValue((container as Properties)[key], trail, key, depth, walk);
    }
  }
}

function complaintsOf(properties: object): readonly Complaint[] {
  const walk: Walk = { keys: 0, complaints: [] };
  checkContainer(properties, undefined, 1, walk);
  if (walk.keys > MAX_KEYS)
    complain(walk, undefined, `must have at most ${MAX_KEYS} keys, nested ones included`);
  return walk.complaints;
}

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const arePropertiesOrNone = (value: unknown): value is Properties | null | undefined =>
  value === undefined || value === null || (isObject(value) && complaintsOf(value).length === 0);

// z.record would copy every property of every event, at more than the cost of all other checks together.
export const Properties = z
  .custom<Properties>(isObject, { error: "must be a JSON object", abort: true })
  .superRefine((properties, context) => {
    for (const { path, message } of complaintsOf(properties)) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  })
  .meta({
    type: "object",
    description: `At most ${MAX_KEYS} keys in all, nested at most ${MAX_DEPTH} levels deep.`,
  });
