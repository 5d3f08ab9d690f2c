import type { FunnelCount, FunnelUser } from "../../../domain/reports/funnel.ts";
import type { FunnelTally } from "../../../domain/reports/funnel-tally.ts";
import type { Work } from "../work.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a tally counted, with the users that were asked for: those of the events with which their runs began. */
export function* withUsers(
  { source, links }: Pick<Snapshot, "source" | "links">,
  tally: FunnelTally,
): Work<FunnelCount> {
  const firsts = tally.firstEvents();
  if (firsts === undefined) return tally.count();
  const events = new Map((yield* source.eventsOf(firsts)).map((event) => [event.id, event]));
  const persons = new Map((yield* links.all()).map(({ user_id, person_id }) => [user_id, person_id]));
  const users = firsts.flatMap((id): FunnelUser[] => {
    const { user_id, occurred_at } = events.get(id) ?? {};
    if (user_id == null || occurred_at === undefined) return [];
    return [{ user_id: persons.get(user_id) ?? user_id, began_at: occurred_at }];
  });
  return { ...tally.count(), users };
}
