import { type ExperimentDraft, emptyDraft } from "./experiment-draft.ts";

// Session storage: a draft lasts while its tab is open, and is not seen in other tabs.
const NAME = "analytics.experiment-draft";

function kept(): Partial<ExperimentDraft> {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "{}");
  } catch {
    return {};
  }
}

/** The draft that was left in this tab, or an empty one. The calculator's link sets the planned users. */
export function openDraft(plannedUsers: string | null): ExperimentDraft {
  const draft = { ...emptyDraft(""), ...kept() };
  return plannedUsers === null ? draft : { ...draft, plannedUsers };
}

/** Keeps the draft while its author reads other views. */
export function keepDraft(draft: ExperimentDraft): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(draft));
  } catch {
    // Storage is disabled: the draft lasts until the view is left.
  }
}

export function dropDraft(): void {
  try {
    sessionStorage.removeItem(NAME);
  } catch {}
}
