import { z } from "zod";
import { Failure, type Fault } from "../../domain/failure.ts";

function faultsOfIssue(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code !== "unrecognized_keys") {
    return [{ path: z.core.toDotPath(issue.path), message: issue.message }];
  }
  return issue.keys.map((key) => ({
    path: z.core.toDotPath([...issue.path, key]),
    message: "is not a known field: correct its name or leave it out",
  }));
}

/** Every fault that a schema found, each with its place. */
export const faultsOf = (error: z.ZodError): Fault[] => error.issues.flatMap(faultsOfIssue);

/** Puts faults of a part under the part's own place. */
export const under = (place: string, faults: readonly Fault[]): Fault[] =>
  faults.map(({ path, message }) => ({
    path: path === "" || path.startsWith("[") ? place + path : `${place}.${path}`,
    message,
  }));

const numberOf = (faults: readonly Fault[]): string =>
  faults.length === 1 ? "one fault" : `${faults.length} faults`;

/** The refusal of what should have been stored, which lists all of them. */
export const invalid = (what: string, faults: readonly Fault[]): Failure =>
  new Failure("invalid", `The ${what} has ${numberOf(faults)}; nothing was stored. See errors.`, { faults });

/** The refusal of a question. Nothing was to be stored: to say that nothing was would only make its asker wonder. */
export const unanswerable = (what: string, faults: readonly Fault[]): Failure =>
  new Failure("invalid", `The ${what} has ${numberOf(faults)}. See errors.`, { faults });
