import { expect, test } from "vitest";
import { checkHealth } from "../../../handlers/service/check-health.ts";
import { call, openWorld } from "../../world.ts";

test("a server with a writable storage is healthy", async () => {
  expect(await call(checkHealth, openWorld())).toStrictEqual({
    outcome: "ok",
    body: { status: "ok", storage: "ok", version: "1.2.3" },
  });
});

test.each(["read-only", "full", "moved"] as const)(
  "a server with a %s storage is unavailable, with one word for the caller and the cause for the log",
  async (state) => {
    const { storage } = openWorld();
    const cause = new Error("/secret/place");
    const check = async () => ({ state, cause });
    expect(await call(checkHealth, openWorld({ storage: { ...storage, check } }))).toStrictEqual({
      outcome: "unavailable",
      body: { status: "unavailable", storage: state, version: "1.2.3" },
      cause,
    });
  },
);

test("a server with an unreadable storage is unavailable, with the cause for the log", async () => {
  const { storage } = openWorld();
  const cause = new Error("disk I/O error at /secret/place");
  const check = () => Promise.reject(cause);
  expect(await call(checkHealth, openWorld({ storage: { ...storage, check } }))).toStrictEqual({
    outcome: "unavailable",
    body: { status: "unavailable", storage: "unavailable", version: "1.2.3" },
    cause,
  });
});

test("a server whose storage cannot be read is alive all the same", async () => {
  const { storage } = openWorld();
  const check = () => Promise.reject(new Error("disk I/O error"));
  const world = openWorld({ storage: { ...storage, check } });
  expect(await call(checkHealth, world, { query: { probe: "live" } })).toStrictEqual({
    outcome: "ok",
    body: { status: "ok", version: "1.2.3" },
  });
});
