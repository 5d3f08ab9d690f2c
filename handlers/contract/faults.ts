import { z } from "zod";
import { Failure, type Fault } from "../../domain/failure.ts";
import { UNKNOWN_FIELD } from "./wording.ts";

/** An answer lists at most this many faults, and says how many more there are. */
export const MAX_LISTED_FAULTS = 100;

// A field's name may be as long as the body. It is cut, so that an answer stays in proportion to its request.
const MAX_KEY_CHARACTERS = 200;

const cutKey = (key: PropertyKey): PropertyKey =>
  typeof key === "string" && key.length > MAX_KEY_CHARACTERS ? `${key.slice(0, MAX_KEY_CHARACTERS)}…` : key;

const placeOf = (path: readonly PropertyKey[]): string => z.core.toDotPath(path.map(cutKey));

const numberOf = (count: number): string => (count === 1 ? "one fault" : `${count} faults`);

/** Collects the faults of one request: keeps the first ones, counts them all. */
export class FaultList {
  readonly listed: Fault[] = [];
  count = 0;
  readonly #limit: number;

  constructor(limit = MAX_LISTED_FAULTS) {
    this.#limit = limit;
  }

  /** How many faults are not listed. */
  get more(): number {
    return this.count - this.listed.length;
  }

  #add(path: readonly PropertyKey[], message: string): void {
    this.count += 1;
    if (this.listed.length < this.#limit) this.listed.push({ path: placeOf(path), message });
  }

  /** Adds what a schema found. The work is bounded by the limit, not by the number of unknown fields. */
  addIssues({ issues }: z.ZodError): void {
    for (const issue of issues) {
      if (issue.code !== "unrecognized_keys") this.#add(issue.path, issue.message);
      else this.#addUnknownFields(issue);
    }
  }

  #addUnknownFields({ path, keys }: z.core.$ZodIssueUnrecognizedKeys): void {
    const room = this.#limit - this.listed.length;
    for (const key of keys.slice(0, room)) {
      this.#add([...path, key], UNKNOWN_FIELD);
    }
    this.count += Math.max(0, keys.length - room);
  }

  /** Adds the faults of a part, each under the place of the part. */
  addUnder(place: string, faults: readonly Fault[], more = 0): void {
    this.count += faults.length + more;
    const room = this.#limit - this.listed.length;
    for (const { path, message } of faults.slice(0, room)) {
      const joined = path === "" || path.startsWith("[") ? place + path : `${place}.${path}`;
      this.listed.push({ path: joined, message });
    }
  }
}

/** The first faults that a schema found, each with its place. */
export function faultsOf(error: z.ZodError): Fault[] {
  const list = new FaultList();
  list.addIssues(error);
  return list.listed;
}

const see = (more: number): string =>
  more === 0 ? "See errors." : `The first ${MAX_LISTED_FAULTS} are in errors.`;

/** The refusal of a write. */
export const invalid = (what: string, faults: readonly Fault[], more = 0): Failure =>
  new Failure(
    "invalid",
    `The ${what} has ${numberOf(faults.length + more)}; nothing was stored. ${see(more)}`,
    { faults, moreFaults: more },
  );

/** The refusal of a question. It says nothing of storing, which was not asked for. */
export const unanswerable = (what: string, faults: readonly Fault[], more = 0): Failure =>
  new Failure("invalid", `The ${what} has ${numberOf(faults.length + more)}. ${see(more)}`, {
    faults,
    moreFaults: more,
  });
