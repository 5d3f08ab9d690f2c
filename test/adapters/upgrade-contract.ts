import { expect, vi } from "vitest";
import type { Storage } from "../../domain/storage.ts";
import { verifyTallies } from "../../scripts/commands/verify-tallies.ts";
import { openEdge } from "../world.ts";

/** Rows of the specified tables, which every version of the schema has, as SQL for both engines. */
export const ROWS_OF_EVERY_VERSION = `
insert into events(id, event_type, user_id, session_id, properties, created_at) values
  (3, 'click', 'ann', 's1', '{"page":"home"}', '2025-01-02T03:04:05Z'),
  (9, 'open', null, null, null, '2025-01-02T03:04:06.789Z');
insert into ab_tests(id, test_name, description, created_at) values
  (1, 'homepage_button_color', 'Testing different button colors on homepage', '2026-11-22T10:00:00Z');
insert into ab_variants(id, test_id, variant_name, description, weight, created_at) values
  (1, 1, 'red', 'Red button', 0.5, '2026-11-22T10:00:00Z'),
  (2, 1, 'blue', 'Blue button', 0.5, '2026-11-22T10:00:00Z');
insert into ab_assignments(id, user_id, test_id, variant_id, assigned_at) values
  (1, 'ann', 1, 2, '2026-11-22T10:00:01Z'),
  (2, 'bob', 1, 1, '2026-11-22T10:00:02Z'),
  (3, 'cyd', 1, 2, '2026-11-22T10:00:03Z');
insert into ab_metrics(id, test_id, variant_id, metric_name, value, created_at) values
  (1, 1, 2, 'click', 1.0, '2026-11-22T10:00:04Z'),
  (2, 1, 2, 'click', 2.5, '2026-11-22T10:00:05Z'),
  (3, 1, 1, 'revenue', -4.0, '2026-11-22T10:00:06Z');`;

/**
 * How many versions there were before experiments had cells. From then on a server counts assignments and values when it
 * stores them: so rows that were not stored by the server have to be there before.
 */
export const VERSIONS_WITHOUT_CELLS = 7;

const NOW = Date.parse("2026-11-22T12:00:00.000Z");
const TEST = "/apiv1/ab-tests/1";
const BY_PAGE =
  "/apiv1/events/trend?event_type=click&interval=day&from=2025-01-02&to=2025-01-02&breakdown=page&verify=1";

/** Checks what a server answers over these rows, that it goes on with them, and that its rollups and tallies are right. */
export async function expectToServe(storage: Storage): Promise<void> {
  const { send } = openEdge({}, { storage, now: () => NOW });
  const get = async (path: string) => (await send({ path })).body;
  const post = async (path: string, body: object) => send({ method: "POST", path, body });
  await vi.waitUntil(async () => (await storage.experimentCells(1))?.pending_rows === 0, { timeout: 20_000 });

  expect(await get("/apiv1/events")).toMatchObject({
    events: [
      { id: 9, event_type: "open", user_id: null, properties: null, timestamp: "2025-01-02T03:04:06.789Z" },
      { id: 3, event_type: "click", user_id: "ann", session_id: "s1", properties: { page: "home" } },
    ],
  });
  expect(await get(BY_PAGE)).toMatchObject({
    series: [{ event_type: "click", total: 1, values: [1] }],
    meta: { verification: { ok: true, differences: [] } },
  });
  expect(await get(TEST)).toMatchObject({
    id: 1,
    test_name: "homepage_button_color",
    status: "running",
    control: "red",
    variants: [{ variant_name: "red", weight: 0.5 }, { variant_name: "blue" }],
  });
  expect(await get(`${TEST}/results`)).toMatchObject({
    results: [
      { variant_name: "red", users: 1, metric_count: 1, average_value: -4 },
      { variant_name: "blue", users: 2, metric_count: 2, average_value: 1.75 },
    ],
  });

  const ann = await post(`${TEST}/assign`, { user_id: "ann" });
  expect([ann.status, ann.body]).toEqual([200, expect.objectContaining({ variant: "blue" })]);
  const value = { user_id: "ann", metric_name: "click", value: 10 };
  expect((await post(`${TEST}/track`, value)).status).toBe(201);
  expect((await post("/apiv1/events", { event_type: "click", user_id: "ann" })).status).toBe(201);
  expect(await get(`${TEST}/results`)).toMatchObject({ results: [{ metric_count: 1 }, { metric_count: 3 }] });
  expect(await verifyTallies(storage, () => {})).toEqual([]);
}
