import { expect } from "vitest";
import type { NewEvent } from "../../../domain/events/event.ts";
import type { World } from "../../../handlers/contract/endpoint.ts";
import { trackEvents } from "../../../handlers/events/track-events.ts";
import { call, NOW } from "../../world.ts";

/** Tracks the events as a client does, and fails where one is refused. */
export async function track(world: World, ...events: object[]): Promise<void> {
  const { outcome } = await call(trackEvents, world, { body: events });
  expect(outcome).toBe("created");
}

/** What is said about an answer of this moment; which of the two sources it has is the engine's own affair. */
export const META = {
  source: expect.stringMatching(/^(rollup|raw)$/),
  exact: true,
  data_through: "2026-11-22T10:00:00.000Z",
  elapsed_ms: 0,
};

/** So many events, a few thousand at once, of which about seven share each instant. */
export async function storeMany(world: World, count: number): Promise<void> {
  const events = Array.from(
    { length: count },
    (_, n): NewEvent => ({
      event_type: "view",
      user_id: `user ${n}`,
      session_id: null,
      properties: null,
      created_at: NOW,
      occurred_at: NOW - ((n * 13) % Math.ceil(count / 7)),
      message_key: null,
    }),
  );
  for (let at = 0; at < count; at += 2_000) await world.storage.appendEvents(events.slice(at, at + 2_000));
}
