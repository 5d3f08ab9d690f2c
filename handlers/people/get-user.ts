import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { MAX_COUNTED_EVENTS, ProfileReply, ProfileTally } from "../../domain/people/profile.ts";
import type { EventPlace } from "../../domain/reports/event-list.ts";
import type { EventQuestions } from "../../domain/storage.ts";
import { Name } from "../../domain/text.ts";
import { EARLIEST, LATEST } from "../../domain/time.ts";
import { endpoint } from "../contract/endpoint.ts";

const PAGE = 1_000;

/** Adds the person's events page by page, so that other requests are served meanwhile; says whether these are all. */
async function countEvents(
  storage: EventQuestions,
  user_id: string,
  tally: ProfileTally,
  gone: AbortSignal,
): Promise<boolean> {
  const filter = { event_types: [], user_id, from: EARLIEST, to: LATEST + 1, where: [], limit: PAGE };
  let after: EventPlace | undefined;
  while (tally.count < MAX_COUNTED_EVENTS) {
    const events = await storage.listEvents({ ...filter, after }, { gone });
    for (const event of events) tally.add(event);
    if (events.length < PAGE) return true;
    after = events.at(-1);
  }
  return false;
}

export const getUser = endpoint({
  name: "getUser",
  method: "GET",
  path: "/apiv1/users/{user_id}",
  access: "read",
  summary:
    "One user under all their ids: first and last seen, counts by type, links, variants, recent events",
  params: z.strictObject({ user_id: Name }),
  replies: { ok: ProfileReply },
  failures: ["not_found"],

  async handle({ params: { user_id }, gone }, { storage }) {
    const person = await storage.findPerson(user_id);
    const tally = new ProfileTally();
    const isWhole = await countEvents(storage, user_id, tally, gone());
    if (tally.count + person.links.length + person.variants.length === 0)
      throw new Failure("not_found", "Nothing is stored about this user.");
    return { outcome: "ok", body: tally.describe(person, isWhole) };
  },
});
