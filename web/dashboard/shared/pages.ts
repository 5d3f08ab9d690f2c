import type { SharedPage } from "../../../domain/shares/shared-page.ts";
import { type Changes, withChanges } from "../address.ts";
import { questionOf, settingsOf, summaryOf } from "../questions/questions.ts";
import { conditionsOf, conditionText } from "../reports/filters.ts";
import { zoneOf, zoneSetting } from "../zone.ts";

type ReportView = Exclude<SharedPage["view"], "experiment">;

/** The page of a report as its view shows it now: what it asks the API, and the settings of its link. */
export function reportPage(view: ReportView, parameters: object, query: URLSearchParams): SharedPage {
  const { range, query: asked } = questionOf({ report: "trend", parameters, query });
  return { view, range, query: asked };
}

export const experimentPage = (testId: number, query: URLSearchParams): SharedPage => ({
  view: "experiment",
  test_id: testId,
  segment: query.get("segment") || undefined,
  timezone: zoneOf(query),
});

/** A page in a few words: "Trend of signup, last 30 days". */
export function pageText(page: SharedPage): string {
  if (page.view === "experiment") return `Experiment ${page.test_id}`;
  if (page.view !== "overview") return summaryOf({ report: page.view, ...page });
  return summaryOf({ report: page.view, ...page }).replace("overview of all events", "Overview");
}

const pageSettings = (page: SharedPage): Changes =>
  page.view === "experiment"
    ? { segment: page.segment, timezone: zoneSetting(page.timezone) }
    : settingsOf({ report: page.view, ...page });

/** The settings of a shared page, and those that its guest has chosen for the figures that it has. */
export const settingsWith = (chosen: URLSearchParams, page: SharedPage): URLSearchParams =>
  withChanges(chosen, pageSettings(page));

/** Conditions as the API takes them in JSON, in words: "plan is pro and price is at least 10". */
export function conditionsText(where: unknown): string {
  const settings = settingsOf({ report: "", range: null, query: { where } });
  return conditionsOf(withChanges(new URLSearchParams(), settings)).map(conditionText).join(" and ");
}
