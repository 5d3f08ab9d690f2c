import type { Database } from "better-sqlite3";
import { reading } from "../failures.ts";
import { createRemovalPlans, type RemovalPlans } from "./removal-plans.ts";

/** Plans removals on this connection, or on a thread. */
export type RemovalPlanner = {
  readonly [Plan in keyof RemovalPlans]: (
    ...values: Parameters<RemovalPlans[Plan]>
  ) => Promise<ReturnType<RemovalPlans[Plan]>>;
};

/** A message to a thread that plans removals. */
export type RemovalTask = {
  readonly [Plan in keyof RemovalPlans]: {
    readonly kind: Plan;
    readonly values: Parameters<RemovalPlans[Plan]>;
  };
}[keyof RemovalPlans];

/** Plans on this connection, which holds up everything else of the process meanwhile. */
export function planHere(db: Database): RemovalPlanner {
  const plans = createRemovalPlans(db);
  return {
    hoursOf: (...values) => reading(() => plans.hoursOf(...values)),
    ofUser: (...values) => reading(() => plans.ofUser(...values)),
    ofExpired: (...values) => reading(() => plans.ofExpired(...values)),
    unusedValues: (...values) => reading(() => plans.unusedValues(...values)),
    unusedUsers: (...values) => reading(() => plans.unusedUsers(...values)),
  };
}

/** Carries out a task, on the thread. */
export function removalPlanOf(plans: RemovalPlans, task: RemovalTask): unknown {
  switch (task.kind) {
    case "hoursOf":
      return plans.hoursOf(...task.values);
    case "ofUser":
      return plans.ofUser(...task.values);
    case "ofExpired":
      return plans.ofExpired(...task.values);
    case "unusedValues":
      return plans.unusedValues(...task.values);
    case "unusedUsers":
      return plans.unusedUsers(...task.values);
  }
}
