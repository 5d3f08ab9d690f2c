import { expect, test } from "vitest";
import { checkHealth } from "../../../handlers/service/check-health.ts";
import { call, openWorld } from "../../world.ts";

test("a server whose storage answers is well", async () => {
  expect(await call(checkHealth, openWorld())).toStrictEqual({
    outcome: "ok",
    body: { status: "ok", storage: "ok", version: "1.2.3" },
  });
});

test("a server whose storage does not answer says so, and why to the log alone", async () => {
  const { storage } = openWorld();
  const cause = new Error("disk I/O error at /secret/place");
  const check = () => Promise.reject(cause);
  expect(await call(checkHealth, openWorld({ storage: { ...storage, check } }))).toStrictEqual({
    outcome: "unavailable",
    body: { status: "unavailable", storage: "unavailable", version: "1.2.3" },
    cause,
  });
});
