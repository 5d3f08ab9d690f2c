import type { ListedExperiment } from "../access/api.ts";

/** What the list of experiments shows, as in its link. */
export interface Listing {
  /** Empty: all but archived ones. */
  readonly status: string;
  readonly search: string;
  readonly sort: string;
}

/** The status by which archived experiments are shown too. */
export const ALL = "all";

export const STATUSES = [
  { value: "", label: "Not archived" },
  { value: "draft", label: "Drafts" },
  { value: "running", label: "Running" },
  { value: "paused", label: "Paused" },
  { value: "stopped", label: "Stopped" },
  { value: "archived", label: "Archived" },
  { value: ALL, label: "All" },
];

export const SORTS = [
  { value: "", label: "Newest first" },
  { value: "verdict", label: "Clearest verdict first" },
  { value: "users", label: "Most users first" },
  { value: "name", label: "Name" },
];

/** The status that the server selects by; empty where the page selects. */
export const statusAsked = ({ status }: Listing): string => (status === ALL ? "" : status);

// What needs an action comes first.
const URGENCY: Record<ListedExperiment["outcome"]["verdict"]["kind"], number> = {
  broken_split: 0,
  guardrail_harmed: 1,
  winner: 2,
  loser: 2,
  guardrail_open: 3,
  no_difference: 4,
  no_difference_yet: 5,
  too_early: 6,
  undeclared: 7,
  no_data: 8,
};

type Order = (a: ListedExperiment, b: ListedExperiment) => number;

const ORDERS: Readonly<Record<string, Order>> = {
  verdict: (a, b) => URGENCY[a.outcome.verdict.kind] - URGENCY[b.outcome.verdict.kind],
  users: (a, b) => b.outcome.users - a.outcome.users,
  name: (a, b) => a.test_name.localeCompare(b.test_name),
};

const has = (text: string | null, wanted: string): boolean =>
  text?.toLocaleLowerCase().includes(wanted) ?? false;

/** The experiments that are shown, in their order. */
export function shownOf(tests: readonly ListedExperiment[], listing: Listing): ListedExperiment[] {
  const wanted = listing.search.trim().toLocaleLowerCase();
  const order = ORDERS[listing.sort];
  const shown = tests
    .filter(({ status }) => listing.status !== "" || status !== "archived")
    .filter(({ test_name, description }) => has(test_name, wanted) || has(description, wanted));
  return order === undefined ? shown : shown.sort(order);
}
