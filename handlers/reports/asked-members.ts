import type { Experiment } from "../../domain/experiments/experiment.ts";
import { experimentsOf, type MembersQuery, type MembersQuestion } from "../../domain/reports/members.ts";
import { planMembers } from "../../domain/reports/plan-members.ts";
import type { ExperimentStore } from "../../domain/storage.ts";
import { unanswerable } from "../contract/faults.ts";

/** The people that a query is about, found by the names of its experiments; undefined where it is about everybody. */
export async function askedMembers(
  storage: Pick<ExperimentStore, "findExperimentByName">,
  query: MembersQuery,
): Promise<MembersQuestion | undefined> {
  const known = new Map<string, Experiment>();
  for (const name of experimentsOf(query)) {
    const experiment = await storage.findExperimentByName(name);
    if (experiment !== undefined) known.set(name, experiment);
  }
  const planned = planMembers(query, known);
  if ("faults" in planned) throw unanswerable("query", planned.faults);
  return planned.value;
}
