import { expect, test } from "vitest";
import { checkHealth } from "../../handlers/check-health.ts";
import { call, openWorld } from "../world.ts";

test("a server whose storage answers is well", async () => {
  expect(await call(checkHealth, openWorld())).toStrictEqual({
    outcome: "ok",
    body: { status: "ok", storage: "ok", version: "1.2.3" },
  });
});

test("a server whose storage does not answer says so, and nothing of the cause", async () => {
  const { storage } = openWorld();
  const check = () => Promise.reject(new Error("disk I/O error at /secret/place"));
  expect(await call(checkHealth, openWorld({ storage: { ...storage, check } }))).toStrictEqual({
    outcome: "unavailable",
    body: { status: "unavailable", storage: "unavailable", version: "1.2.3" },
  });
});
