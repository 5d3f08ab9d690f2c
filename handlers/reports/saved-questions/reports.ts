import type { z } from "zod";
import { type Checked, Failure, type Fault } from "../../../domain/failure.ts";
import { FunnelQuery, planFunnel } from "../../../domain/reports/funnel.ts";
import type { MembersQuery } from "../../../domain/reports/members.ts";
import { planRetention, RetentionQuery } from "../../../domain/reports/retention.ts";
import { parametersOf, type Question, type SavedAnswer } from "../../../domain/reports/saved-question.ts";
import {
  planTrend,
  seriesAtMost,
  type TrendQuery as Trend,
  TrendQuery,
} from "../../../domain/reports/trend.ts";
import type { Instant } from "../../../domain/time.ts";
import { asInAddress } from "../../contract/addressed.ts";
import type { Request, World } from "../../contract/endpoint.ts";
import { faultsOf, invalid } from "../../contract/faults.ts";
import { wording } from "../../contract/wording.ts";
import { askedMembers } from "../asked-members.ts";
import { computeFunnel } from "../compute-funnel.ts";
import { getRetention } from "../get-retention.ts";
import { getTrend } from "../get-trend.ts";

type Parameters = Question["query"];
/** The parts of a request that are the same for every report. */
type Caller = Omit<Request<undefined, undefined, undefined>, "params" | "query" | "body">;

/** A report as a saved question asks it. */
interface Report {
  /** The reasons why the parameters have no answer. */
  faultsOf(parameters: Parameters, world: World): Promise<readonly Fault[]>;
  answer(parameters: Parameters, caller: Caller, world: World): Promise<SavedAnswer>;
}

/** The faults of experiments and variants that there are not. */
async function unknownMembers(storage: World["storage"], query: MembersQuery): Promise<readonly Fault[]> {
  try {
    await askedMembers(storage, query);
    return [];
  } catch (error) {
    if (error instanceof Failure && error.code === "invalid") return error.faults;
    throw error;
  }
}

interface ReportParts<Query> {
  readonly schema: z.ZodType<Query>;
  /** The parameters as the schema reads them. */
  readonly written: (parameters: Parameters) => unknown;
  readonly plan: (query: Query, now: Instant) => Checked<unknown>;
  readonly ask: (query: Query, caller: Caller, world: World) => Promise<SavedAnswer>;
}

// They ask for more than a figure: a second computation, or a list of users.
const NOT_SAVED = ["verify", "users"];

function reportOf<Query extends MembersQuery>({ schema, written, plan, ask }: ReportParts<Query>): Report {
  const parse = (parameters: Parameters) => schema.safeParse(written(parameters), { error: wording });
  return {
    async faultsOf(parameters, { storage, now }) {
      const named = NOT_SAVED.filter((name) => name in parameters);
      if (named.length > 0) {
        return named.map((path) => ({ path, message: "must be left out of a saved question" }));
      }
      const { data, error } = parse(parameters);
      if (error !== undefined) return faultsOf(error);
      const planned = plan(data, now());
      return "faults" in planned ? planned.faults : unknownMembers(storage, data);
    },
    async answer(parameters, caller, world) {
      const { data, error } = parse(parameters);
      if (error === undefined) return ask(data, caller, world);
      throw invalid("question", faultsOf(error));
    },
  };
}

/** Parameters as an address would have them. */
export const addressed = (parameters: Parameters): Parameters =>
  Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, asInAddress(value)]));

// Twelve of them are a few megabytes.
const MAX_VALUES = 20_000;

const TOO_LARGE = new Failure(
  "too_large",
  "This trend has too many figures for the overview. Open it, or save it with a longer interval or fewer lines.",
);

/** Refuses a trend that is too large to be answered together with others. */
function refuseLarge(query: Trend, now: Instant): void {
  const planned = planTrend(query, now);
  if ("value" in planned && planned.value.buckets.length * seriesAtMost(query) > MAX_VALUES) throw TOO_LARGE;
}

const REPORTS: Record<Question["report"], Report> = {
  trend: reportOf({
    schema: TrendQuery,
    written: addressed,
    plan: planTrend,
    async ask(query, caller, world) {
      refuseLarge(query, world.now());
      const request = { ...caller, params: undefined, body: undefined, query };
      return { trend: (await getTrend.handle(request, world)).body };
    },
  }),
  funnel: reportOf({
    schema: FunnelQuery,
    written: (parameters) => parameters,
    plan: planFunnel,
    async ask(body, caller, world) {
      const request = { ...caller, params: undefined, query: undefined, body };
      return { funnel: (await computeFunnel.handle(request, world)).body };
    },
  }),
  retention: reportOf({
    schema: RetentionQuery,
    written: addressed,
    plan: planRetention,
    async ask(query, caller, world) {
      const request = { ...caller, params: undefined, body: undefined, query };
      return { retention: (await getRetention.handle(request, world)).body };
    },
  }),
};

/** Throws where a question has no answer, so that it is not stored. */
export async function refuseUnanswerable(question: Question, world: World): Promise<void> {
  const faults = await REPORTS[question.report].faultsOf(parametersOf(question, world.now()), world);
  if (faults.length === 0) return;
  const placed = faults.map(({ path, message }) => ({ path: `question.query.${path}`, message }));
  throw invalid("question", placed);
}

const reasonOf = ({ message, faults }: Failure): string =>
  [message, ...faults.map((fault) => `${fault.path} ${fault.message}.`)].join(" ");

/** The answer of a question now, or the reason why it has none: the others are answered all the same. */
export const answerOf = (question: Question, caller: Caller, world: World): Promise<SavedAnswer> =>
  REPORTS[question.report]
    .answer(parametersOf(question, world.now()), caller, world)
    .catch((error: unknown) => {
      if (error instanceof Failure) return { problem: reasonOf(error) };
      throw error;
    });
