import { wholePercent } from "../parts/format.ts";

/** One fault of a request and its place in the body. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** The reason why a request failed, in words for the user. */
export class Problem extends Error {
  readonly status: number;
  readonly faults: readonly Fault[];

  constructor(status: number, detail: string, faults: readonly Fault[] = []) {
    super(detail);
    this.status = status;
    this.faults = faults;
  }
}

interface ProblemBody {
  readonly detail?: unknown;
  readonly errors?: readonly Fault[];
}

/** A message of the API in words of the dashboard: without the sentences about other requests. */
const inWords = (detail: string): string =>
  detail
    .split(/(?<=\.) /)
    .filter((sentence) => !sentence.includes("/apiv1/"))
    .join(" ")
    .replaceAll("A/B test", "experiment");

/** Reads the reason from a response, also from one that a proxy has written. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: ProblemBody = await response.json().catch(() => ({}));
  const wait = response.headers.get("retry-after");
  const faults = body.errors ?? [];
  const detail =
    typeof body.detail === "string"
      ? inWords(body.detail)
      : `The server answered with status ${response.status}.`;
  const advice = wait === null ? "" : ` Try again in ${wait} s.`;
  const words =
    faults.length > 0 && response.status === 400 ? "The server refused the request:" : detail + advice;
  return new Problem(response.status, words, faults);
}

/** Converts messages about shares to percentages, in which the form takes them: the server takes 0 to 1. */
export const inPercent = ({ status, message, faults }: Problem, paths: readonly string[]): Problem =>
  new Problem(
    status,
    message,
    faults.map((fault) =>
      paths.includes(fault.path)
        ? {
            ...fault,
            message: fault.message.replaceAll(/\d+(?:\.\d+)?/g, (text) => wholePercent(Number(text))),
          }
        : fault,
    ),
  );

export const unreachable = (): Problem =>
  new Problem(
    0,
    "The server does not respond. Check that it is running and that you are online, then try again.",
  );
