import type { z } from "zod";
import { FunnelQuery } from "../../domain/reports/funnel.ts";
import { OverviewQuery } from "../../domain/reports/overview.ts";
import { RetentionQuery } from "../../domain/reports/retention.ts";
import { parametersOf, RANGE_TWICE } from "../../domain/reports/saved-question.ts";
import { type Trend, TrendQuery } from "../../domain/reports/trend.ts";
import { type SharedAnswer, type SharedPage, sharedExperiment } from "../../domain/shares/shared-page.ts";
import type { Request, World } from "../contract/endpoint.ts";
import { FaultList, faultsOf, unanswerable } from "../contract/faults.ts";
import { wording } from "../contract/wording.ts";
import { getExperiment } from "../experiments/get-experiment.ts";
import { getResults } from "../experiments/get-results.ts";
import { getTimeline } from "../experiments/get-timeline.ts";
import { listAnnotations } from "../reports/annotations/list-annotations.ts";
import { computeFunnel } from "../reports/compute-funnel.ts";
import { getOverview, trendOf } from "../reports/get-overview.ts";
import { getRetention } from "../reports/get-retention.ts";
import { getTrend } from "../reports/get-trend.ts";
import { addressed } from "../reports/saved-questions/reports.ts";

/** The caller of a page. Its parameters play no part: what a page shows is fixed when it is shared. */
type Caller = Omit<Request<unknown, unknown, unknown>, "params" | "query" | "body">;

interface Asked {
  readonly caller: Caller;
  readonly world: World;
}

const MAX_ANNOTATIONS = 30;

// Without the parameters that list users or cost a second computation.
const Overviews = OverviewQuery;
const Trends = TrendQuery.omit({ verify: true });
const Retentions = RetentionQuery.omit({ verify: true });
const Funnels = FunnelQuery.omit({ verify: true, users: true });

type ReportPage = Exclude<SharedPage, { view: "experiment" }>;

/** The question of a page, parsed by the schema of its report, with the dates that its relative range has now. */
function questionOf<T>(
  { range, query }: ReportPage,
  schema: z.ZodType<T>,
  { now }: World,
  written: (parameters: ReportPage["query"]) => unknown = addressed,
): T {
  if (range !== null && ("from" in query || "to" in query)) {
    throw unanswerable("page", [{ path: "page.range", message: RANGE_TWICE }]);
  }
  const { data, error } = schema.safeParse(written(parametersOf({ range, query }, now())), {
    error: wording,
  });
  if (error === undefined) return data;
  const faults = new FaultList();
  faults.addUnder("page.query", faultsOf(error));
  throw unanswerable("page", faults.listed);
}

async function annotationsOf({ from, to }: Pick<Trend, "from" | "to">, { caller, world }: Asked) {
  const bound = (time: string) => ({ instant: Date.parse(time) });
  const query = { from: bound(from), to: bound(to), timezone: "UTC", limit: MAX_ANNOTATIONS };
  const { body } = await listAnnotations.handle(
    { ...caller, params: undefined, query, body: undefined },
    world,
  );
  return body.annotations;
}

const BARE = { params: undefined, body: undefined };

type PageOf<View extends SharedPage["view"]> = Extract<SharedPage, { view: View }>;

async function answerOverview(page: PageOf<"overview">, asked: Asked): Promise<SharedAnswer> {
  const { caller, world } = asked;
  const query = questionOf(page, Overviews, world);
  const { body: overview } = await getOverview.handle({ ...caller, ...BARE, query }, world);
  const ofSessions = { ...caller, ...BARE, query: trendOf(query, "sessions") };
  const { body: sessions } = await getTrend.handle(ofSessions, world);
  return { ...page, overview, sessions, annotations: await annotationsOf(overview, asked) };
}

async function answerTrend(page: PageOf<"trend">, asked: Asked): Promise<SharedAnswer> {
  const { caller, world } = asked;
  const query = { ...questionOf(page, Trends, world), verify: false };
  const { body: trend } = await getTrend.handle({ ...caller, ...BARE, query }, world);
  return { ...page, trend, annotations: await annotationsOf(trend, asked) };
}

async function answerFunnel(page: PageOf<"funnel">, { caller, world }: Asked): Promise<SharedAnswer> {
  const body = { ...questionOf(page, Funnels, world, (parameters) => parameters), verify: false };
  const { body: funnel } = await computeFunnel.handle(
    { ...caller, params: undefined, query: undefined, body },
    world,
  );
  return { ...page, funnel };
}

async function answerRetention(page: PageOf<"retention">, { caller, world }: Asked): Promise<SharedAnswer> {
  const query = { ...questionOf(page, Retentions, world), verify: false };
  const { body: retention } = await getRetention.handle({ ...caller, ...BARE, query }, world);
  return { ...page, retention };
}

async function answerExperiment(page: PageOf<"experiment">, { caller, world }: Asked): Promise<SharedAnswer> {
  const params = { test_id: page.test_id };
  const asked = { ...caller, params, query: undefined, body: undefined };
  const { segment } = page;
  const [experiment, { segments, ...results }, timeline] = await Promise.all([
    getExperiment.handle(asked, world).then(({ body }) => sharedExperiment(body)),
    getResults.handle({ ...asked, query: { segment } }, world).then(({ body }) => body),
    getTimeline.handle(asked, world).then(({ body }) => body),
  ]);
  return { ...page, experiment, results, timeline, ...(segments && { segments }) };
}

/** Everything that a shared page shows, as the endpoints of its reports answer it. */
export function answerPage(page: SharedPage, caller: Caller, world: World): Promise<SharedAnswer> {
  const asked = { caller, world };
  switch (page.view) {
    case "overview":
      return answerOverview(page, asked);
    case "trend":
      return answerTrend(page, asked);
    case "funnel":
      return answerFunnel(page, asked);
    case "retention":
      return answerRetention(page, asked);
    case "experiment":
      return answerExperiment(page, asked);
  }
}
