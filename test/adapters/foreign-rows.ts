import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ExperimentInput, newExperiment } from "../../domain/experiments/experiment.ts";
import { changeExperiment, ExperimentChange } from "../../domain/experiments/lifecycle.ts";
import type { EventPage } from "../../domain/reports/event-list.ts";
import type { OnRetry, Storage } from "../../domain/storage.ts";
import { HOUR } from "../../domain/time.ts";
import { AT, eventAt } from "./question-stories/asked.ts";

/** A storage whose database another program can write to. */
export interface Shared {
  readonly storage: Storage;
  execute(sql: string): Promise<void>;
}

const page: EventPage = { event_types: [], from: AT, to: AT + HOUR, where: [], limit: 100 };
const users = { event_types: [], measure: "users" as const, edges: [AT, AT + HOUR], where: [], limit: 1 };
const total = (count: number) => [{ event_type: null, total: count, values: [count] }];

// Uses only the columns of the specification.
const INSERT = `
  insert into events(event_type, user_id, session_id, properties, created_at) values
    ('view', 'bob', 's', '{"plan":"pro"}', '2026-11-22T10:30:00Z'),
    ('view', 'cem', 's', '{"plan":"free"}', '2026-11-22T10:40:00Z')`;

/** PostgreSQL also stores about how many rows are left. */
const pendingOf = (engine: string) =>
  engine === "PostgreSQL" ? { column: ", pending", value: ", 1" } : { column: "", value: "" };

/** The promise of every engine about rows that another program inserts while the server runs. */
export function foreignRows(name: string, open: (onRetry: OnRetry) => Promise<Shared>): void {
  describe(`${name} rows inserted by another program`, () => {
    async function shared(onRetry: OnRetry = () => {}): Promise<Shared> {
      const opened = await open(onRetry);
      onTestFinished(() => opened.storage.close());
      await opened.storage.appendEvents([eventAt(0, "view"), eventAt(1, "cart")]);
      return opened;
    }

    test("appear at their created_at in lists, reports and the event types", async () => {
      const { storage, execute } = await shared();
      await execute(INSERT);
      const listed = await storage.listEvents(page);
      expect(listed.map(({ user_id, occurred_at }) => [user_id, occurred_at])).toEqual([
        ["cem", AT + 40 * 60_000],
        ["bob", AT + 30 * 60_000],
        ["ann", AT + 60_000],
        ["ann", AT],
      ]);
      const bobs = await storage.listEvents({ ...page, user_id: "bob" });
      expect(bobs).toEqual([listed[1]]);
      const trend = await storage.trend(users, { verify: true });
      expect(trend).toEqual({ source: "rollup", value: total(3), recomputed: total(3) });
      const types = await storage.eventTypes({ verify: true });
      expect(types.value).toEqual(types.recomputed);
      expect(types.value.map(({ event_type, count }) => [event_type, count])).toEqual([
        ["view", 3],
        ["cart", 1],
      ]);
    });

    test("are counted exactly once while the server stores events", async () => {
      const { storage, execute } = await shared();
      for (let turn = 1; turn <= 5; turn += 1) {
        const stored = [eventAt(turn, "view", { user_id: `user ${turn}` })];
        await Promise.all([execute(INSERT), storage.appendEvents(stored)]);
        const { value, recomputed } = await storage.trend(users, { verify: true });
        expect(value).toEqual(recomputed);
        expect(value).toEqual(total(3 + turn));
        const [{ count } = { count: 0 }] = (await storage.eventTypes()).value;
        expect(count).toBe(1 + 3 * turn);
      }
    });

    /** An experiment with one user, `bob`, which starts tallying stored rows when a metric is added. */
    async function experimentOf(storage: Storage) {
      const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
      const input = ExperimentInput.parse({ test_name: "colours", variants });
      const { id = 0, variants: [red] = [] } =
        (await storage.createExperiment(newExperiment(input, "salt", AT))) ?? {};
      const variant_id = red?.id ?? 0;
      await storage.assign(id, [{ user_id: "bob", variant_id, assigned_at: AT }]);
      const declare = (metric: object) =>
        storage.updateExperiment(id, (stored) => ({
          experiment: changeExperiment(stored, ExperimentChange.parse({ metrics: [metric] }), AT),
          forced: [],
          at: AT,
        }));
      const tallied = async () => {
        const cells = await vi.waitFor(
          async () => {
            const found = await storage.experimentCells(id);
            expect(found?.pending_rows).toBe(0);
            return found;
          },
          { timeout: 20_000 },
        );
        return cells ?? { cells: [], raw: [] };
      };
      return { id, variant_id, declare, tallied };
    }

    test("count for a metric that is declared later, at their created_at", async () => {
      const { storage, execute } = await shared();
      const { declare, tallied } = await experimentOf(storage);
      await execute(INSERT);
      await declare({ metric_name: "views", kind: "count", event_type: "view" });
      const { cells } = await tallied();
      expect(cells.map(({ metrics }) => metrics.map(({ count }) => count))).toEqual([[1]]);
    });

    test("are raw values where a value has no user, when all stored values are tallied", async () => {
      const { storage, execute } = await shared();
      const { id, variant_id, declare, tallied } = await experimentOf(storage);
      await execute(`
        insert into ab_metrics(test_id, variant_id, metric_name, value, created_at) values
          (${id}, ${variant_id}, 'revenue', 0.1, '2026-11-22T10:30:00Z'),
          (${id}, ${variant_id}, 'revenue', 2.5, '2026-11-22T10:40:00Z');
        insert into ab_tally_backlog(source, next_id, through_id${pendingOf(name).column})
          select 'values', 0, max(id)${pendingOf(name).value} from ab_metrics;`);
      await declare({ metric_name: "clicks" });
      const { raw } = await tallied();
      expect(raw.map(({ metric_name, count, sum }) => [metric_name, count, sum])).toEqual([
        ["revenue", 2, 2.6],
      ]);
    });

    test("of which one cannot be tallied are reported to the log, and tried again", async () => {
      const retried: string[] = [];
      const { storage, execute } = await shared((work) => void retried.push(work));
      const { declare } = await experimentOf(storage);
      await execute(`
        insert into ab_tally_backlog(source, next_id, through_id${pendingOf(name).column})
          values ('unknown', 0, 7${pendingOf(name).value})`);
      await declare({ metric_name: "clicks" });
      await vi.waitFor(() => expect(retried).toEqual(["tallies"]), { timeout: 20_000 });
    });
  });
}
