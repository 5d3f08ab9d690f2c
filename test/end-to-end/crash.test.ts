import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { crash } from "./crash.ts";
import { testFolder } from "./servers.ts";

// `npm run bench -- crash` kills the server fifty times.
test("a server killed under load loses no acknowledged message and stores none twice", async ({
  onTestFinished,
}) => {
  const report = await crash({
    kills: 5,
    seed: 1,
    folder: await testFolder(onTestFinished),
    serve: join(inject("project"), "dist/serve.mjs"),
  });
  const unharmed = { messages: expect.any(Number), lost: 0, twice: 0, unknown: 0 };
  expect(report).toMatchObject({ events: unharmed, values: unharmed, integrity: "ok" });
  expect(report.valuesInResults).toBe(report.values.messages);
  // Makes sure that the server was under load and that kills interrupted requests.
  expect(report.events.messages).toBeGreaterThan(20);
  expect(report.values.messages).toBeGreaterThan(0);
  expect(report.retries).toBeGreaterThan(0);
});
