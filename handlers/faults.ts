import { z } from "zod";
import { Failure, type Fault } from "../domain/failure.ts";

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

/** The refusal that lists all of them. */
export function invalid(what: string, faults: readonly Fault[]): Failure {
  const number = faults.length === 1 ? "one fault" : `${faults.length} faults`;
  return new Failure("invalid", `The ${what} has ${number}; nothing was stored. See errors.`, { faults });
}
