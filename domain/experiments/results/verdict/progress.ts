import type { Case } from "./case.ts";
import { count } from "./wording.ts";

/** What to do where more data would tell more. */
export function goOn({ progress: { isOver, isPaused } }: Case): string {
  if (isOver) return "It is over: to know more, run a longer one.";
  return isPaused ? "It is paused: let it run again to know more." : "Let it run.";
}

/** "5,120 of 7,932 planned users: read it when they are complete." */
export function planned({ progress: { plannedUsers, users, isOver } }: Case): string {
  if (plannedUsers === null) return "";
  const so = `${count(users)} of ${count(plannedUsers)} planned users`;
  if (isOver) {
    return users < plannedUsers
      ? `It was stopped at ${so}.`
      : `All ${count(plannedUsers)} planned users came, but it was stopped before their window was over.`;
  }
  return users >= plannedUsers
    ? `All ${count(plannedUsers)} planned users are in: read it when their window is over.`
    : `${so}: read it when they are complete.`;
}
