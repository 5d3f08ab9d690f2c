import type { Answered } from "../../domain/reports/answer.ts";
import type { TrendQuestion } from "../../domain/reports/trend.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import type { ConnectionOptions } from "./connection.ts";
import type { Database } from "./database.ts";
import { countRetention, countTrend } from "./event-counts.ts";
import { listEvents } from "./event-lists.ts";
import {
  funnelFromRows,
  retentionFromRows,
  trendFromFewerRows,
  trendFromRows,
  typesFromRows,
} from "./event-rows.ts";
import { createReports } from "./reports.ts";

/** An answer, and where it was asked for the same once more: where it was made of all rows, it is that already. */
async function answered<T>(
  value: Promise<T>,
  verify = false,
  recompute: () => Promise<T> = () => value,
): Promise<Answered<T>> {
  const made = await value;
  return verify
    ? { source: "raw", value: made, recomputed: await recompute() }
    : { source: "raw", value: made };
}

const asksForProperties = ({ where, breakdown }: TrendQuestion): boolean =>
  where.length > 0 || breakdown !== undefined;

export function createQuestions(database: Database, options: ConnectionOptions): EventQuestions {
  const report = createReports(database, options);
  return {
    listEvents: (page, asking) => report((query) => listEvents(query, page), asking),
    eventTypes: (asking) => report((query) => answered(typesFromRows(query), asking?.verify), asking),
    trend: (question, asking) => {
      const answer = asksForProperties(question) ? trendFromFewerRows : countTrend;
      return report(
        (query) => answered(answer(query, question), asking?.verify, () => trendFromRows(query, question)),
        asking,
      );
    },
    funnel: (question, asking) =>
      report((query) => answered(funnelFromRows(query, question), asking?.verify), asking),
    retention: (question, asking) =>
      report(
        (query) =>
          answered(countRetention(query, question), asking?.verify, () => retentionFromRows(query, question)),
        asking,
      ),
  };
}
