import { expect, test } from "vitest";
import { endingOf, testFolder, testServer } from "./servers.ts";

const ADMIN = "admin-key-0123456789";
const KEYS = {
  ANALYTICS_ADMIN_KEYS: ADMIN,
  ANALYTICS_READ_KEYS: "read-key-0123456789",
  ANALYTICS_WRITE_KEYS: "write-key-0123456789",
};

const ask = (url: string, path: string, secret: string, method = "GET", body?: object) =>
  fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

test("a link that is revoked by one process stops working in another at once, and no log has its secret", async ({
  onTestFinished,
}) => {
  const folder = await testFolder(onTestFinished);
  const [one, other] = [
    await testServer(onTestFinished, folder, KEYS),
    await testServer(onTestFinished, folder, KEYS),
  ];
  const endings = [endingOf(one.process), endingOf(other.process)];
  const page = { view: "trend", query: { event_type: ["click"] }, range: "this_week" };
  const created = await ask(one.url, "/apiv1/shares", ADMIN, "POST", { page });
  expect(created.status).toBe(201);
  const { secret, share_id } = (await created.json()) as { secret: string; share_id: string };
  expect(secret).toMatch(/^share_[\w-]{43}$/);

  const open = () => ask(other.url, "/apiv1/shared-page", secret);
  expect(await (await open()).json()).toMatchObject({ ...page, trend: { series: [{ total: 0 }] } });
  for (const path of ["/apiv1/events", "/apiv1/users/ann", "/apiv1/shares", "/metrics"]) {
    expect([path, (await ask(other.url, path, secret)).status]).toEqual([path, 403]);
  }

  expect((await ask(one.url, `/apiv1/shares/${share_id}`, ADMIN, "DELETE")).status).toBe(204);
  expect((await open()).status).toBe(401);

  await Promise.all([one.stop(), other.stop()]);
  const logs = (await Promise.all(endings)).map(({ stdout, stderr }) => stdout + stderr).join("");
  expect(logs).toContain("getSharedPage");
  expect(logs).not.toContain(secret);
});
