import { z } from "zod";
import { Failure } from "../failure.ts";
import { Name } from "../text.ts";
import { bucket } from "./assignment.ts";

// Experiments that exclude each other share a group: each holds a range of the group's places, and a user's place is the
// same in all of them. Users of a holdout are enrolled in no experiment that names it. Group and holdout have salts of
// their own, so that neither has anything to do with traffic or variants.

const DEFAULT_SHARE = 0.5;
const GLOBAL_HOLDOUT = "everybody";

const GroupShare = z.number().gt(0, "must be above 0").max(1, "must be at most 1");

/** A group by name, and which share of its users the experiment asks for: half of them by default. */
export const GroupInput = z
  .union([
    Name.transform((name) => ({ name, share: DEFAULT_SHARE })),
    z.strictObject({ name: Name, share: GroupShare }),
  ])
  .meta({ id: "ExclusionGroup" });
export type GroupInput = z.infer<typeof GroupInput>;

const HoldoutShare = z.number().min(0, "must be from 0 to 0.5").max(0.5, "must be from 0 to 0.5");

/** The share of users that is enrolled in nothing: of the one holdout that all experiments have, or of a named one. */
export const HoldoutInput = z
  .union([
    HoldoutShare.transform((share) => ({ name: GLOBAL_HOLDOUT, share })),
    z.strictObject({ name: Name.default(GLOBAL_HOLDOUT), share: HoldoutShare }),
  ])
  .meta({ id: "Holdout" });

export interface Holdout {
  readonly name: string;
  readonly share: number;
}

/** An experiment's places in a group: from inclusive, to exclusive. */
export interface GroupRange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A user's fixed place in a group on [0, 1). */
export const groupPlace = (group: string, userId: string): number => bucket(`group:${group}`, userId);

/** A user's fixed place in a holdout on [0, 1): those below its share are held out. */
export const holdoutPlace = (holdout: string, userId: string): number => bucket(`holdout:${holdout}`, userId);

interface Excluding {
  readonly exclusion_group: GroupRange | null;
  readonly holdout: Holdout | null;
}

/** Why a user may not be enrolled in an experiment, whatever its traffic; undefined where they may. */
export function exclusionOf({ exclusion_group, holdout }: Excluding, userId: string) {
  if (holdout !== null && holdoutPlace(holdout.name, userId) < holdout.share) return "holdout" as const;
  if (exclusion_group === null) return undefined;
  const { name, from, to } = exclusion_group;
  const place = groupPlace(name, userId);
  return place >= from && place < to ? undefined : ("excluded" as const);
}

// Shares are decimals as people write them: a third and two thirds leave nothing, not 1e-17.
const TINY = 1e-9;

/** The first free places of a group that are as many as asked for; refuses where no experiment could have them. */
export function takeRange({ name, share }: GroupInput, taken: readonly GroupRange[]): GroupRange {
  const sorted = [...taken].sort((a, b) => a.from - b.from);
  let from = 0;
  for (const range of [...sorted, { from: 1, to: 1 }]) {
    if (range.from - from >= share - TINY) return { name, from, to: Math.min(from + share, range.from) };
    from = Math.max(from, range.to);
  }
  const left = 1 - taken.reduce((sum, range) => sum + range.to - range.from, 0);
  const message = `has no range of ${share} left for this test, which would have no users: ${Math.max(0, Number(left.toFixed(3)))} of the group "${name}" is free. Ask for a smaller share, or stop a test of the group`;
  throw new Failure("invalid", "The A/B test was not created: its exclusion group has no room.", {
    faults: [{ path: "exclusion_group", message }],
  });
}
