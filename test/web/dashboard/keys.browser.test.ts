import type { Download } from "playwright-core";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser } from "../browser.ts";
import { open, openSite, send, settled } from "./site.ts";

/** The lines of a download. */
async function linesOf(download: Download): Promise<Record<string, unknown>[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(Buffer.from(chunk));
  const lines = Buffer.concat(chunks).toString().trim().split("\n");
  return lines.map((line) => JSON.parse(line));
}

describeInBrowser("the dashboard of a server that asks for keys", () => {
  const site = openSite();

  beforeAll(async () => {
    await send(`${site.url}/apiv1/events`, "POST", { event_type: "purchase" });
  });

  test("asks for a missing key, shows why one is refused, and continues with a valid one", async () => {
    const [read, admin] = ["read-key-of-sixteen", "admin-key-of-sixteen"];
    const keys = { ANALYTICS_READ_KEYS: read, ANALYTICS_ADMIN_KEYS: admin };
    const guarded = await testServer(onTestFinished, await testFolder(onTestFinished), keys);
    const { page } = await site.visit();
    await page.goto(`${guarded.url}/#/experiments`);
    const reading = page.getByRole("dialog", { name: "A key with read access is needed" });
    await reading.getByLabel("Key with read access").fill("not-a-key-of-theirs");
    await reading.getByRole("button", { name: "Use this key" }).click();
    await reading.getByText("This key is not known to this server.").waitFor();
    await reading.getByLabel("Key with read access").fill(read);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No experiments yet" }).waitFor();

    await page.getByRole("link", { name: "Create the first one" }).click();
    await page.getByLabel("Name", { exact: true }).fill("guarded");
    await page.getByLabel("Name of metric 1").fill("paid");
    await page.getByRole("button", { name: "Create the experiment" }).click();
    const changing = page.getByRole("dialog", { name: "A key with admin access is needed" });
    await changing.getByLabel("Key with admin access").fill(admin);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "guarded" }).waitFor();

    // A new page of the same tab has the keys still, and no link has them.
    expect(page.url()).not.toContain("key");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "guarded" }).waitFor();
    await page.getByRole("button", { name: "Forget the keys" }).click();
    await page.getByRole("dialog").waitFor();
  });

  test("shows saved questions to readers, and asks for an admin key to save one", async () => {
    const [read, admin] = ["read-key-of-sixteen", "admin-key-of-sixteen"];
    const keys = { ANALYTICS_READ_KEYS: read, ANALYTICS_ADMIN_KEYS: admin };
    const guarded = await testServer(onTestFinished, await testFolder(onTestFinished), keys);
    await fetch(`${guarded.url}/apiv1/events`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
      body: JSON.stringify({ event_type: "purchase" }),
    });
    const { page } = await site.visit();
    await page.goto(`${guarded.url}/#/questions`);
    await page.getByRole("textbox", { name: "Key with read access" }).fill(read);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No saved questions yet" }).waitFor();

    await page.getByRole("link", { name: "trend", exact: true }).click();
    await page.getByRole("button", { name: "Save …" }).click();
    const saving = page.getByRole("dialog", { name: "Save this trend" });
    await saving.getByLabel("Name").fill("Events");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Continue without" }).click();
    await saving.getByRole("alert").waitFor();
    expect(await saving.getByLabel("Name").inputValue()).toBe("Events");
    await saving.getByRole("button", { name: "Save" }).click();
    await page.getByRole("textbox", { name: "Key with admin access" }).fill(admin);
    await page.keyboard.press("Enter");
    await page.getByText("Saved.").waitFor();
    await page.getByRole("link", { name: "Saved questions" }).click();
    await page.getByRole("link", { name: "Events", exact: true }).last().waitFor();
    expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual(["Events"]);
  });

  test("sends a key in a header and never in a link, also for an export", async () => {
    const [read, admin] = ["read-key-of-sixteen", "admin-key-of-sixteen"];
    const keys = { ANALYTICS_READ_KEYS: read, ANALYTICS_ADMIN_KEYS: admin };
    const guarded = await testServer(onTestFinished, await testFolder(onTestFinished), keys);
    const { page, requests } = await site.visit();
    await page.goto(`${guarded.url}/#/events`);
    await page.getByRole("dialog").getByLabel("Key with read access").fill(read);
    await page.keyboard.press("Enter");
    await page.getByText("-H 'authorization: Bearer <write key>'").waitFor();

    await fetch(`${guarded.url}/apiv1/events/batch`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
      body: JSON.stringify([{ event_type: "first" }, { event_type: "second" }, { event_type: "first" }]),
    });
    await open(page, guarded.url, "#/events?event_type=first");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export as JSON lines" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("events.ndjson");
    expect((await linesOf(download)).map(({ event_type }) => event_type)).toEqual(["first", "first"]);
    expect(requests.join(" ")).toContain("/apiv1/events/export?event_type=first");
    expect(requests.filter((request) => request.includes(read))).toEqual([]);
  });

  test("joins the parts of an export, or shows why it failed", async () => {
    const { page } = await site.visit();
    await page.addInitScript(() => sessionStorage.setItem("analytics.read-key", "read-key-of-sixteen"));
    await open(page, site.url, "#/events?event_type=purchase");
    const asked: (string | null)[] = [];
    await page.route("**/apiv1/events/export**", (route) => {
      const cursor = new URL(route.request().url()).searchParams.get("cursor");
      asked.push(cursor);
      const headers: Record<string, string> = cursor === null ? { "x-next-cursor": "after-1" } : {};
      return route.fulfill({ headers, body: `{"id":${asked.length}}\n` });
    });
    const exporting = page.getByRole("button", { name: "Export as JSON lines" });
    const [download] = await Promise.all([page.waitForEvent("download"), exporting.click()]);
    expect(await linesOf(download)).toEqual([{ id: 1 }, { id: 2 }]);
    expect(asked).toEqual([null, "after-1"]);

    await page.unroute("**/apiv1/events/export**");
    await page.route("**/apiv1/events/export**", (route) => route.abort());
    await exporting.click();
    await page.getByRole("alert").filter({ hasText: "The server does not respond." }).waitFor();
    await exporting.waitFor();
  });

  test("says that a key is missing, and asks again on demand", async () => {
    const keys = { ANALYTICS_READ_KEYS: "read-key-of-sixteen" };
    const guarded = await testServer(onTestFinished, await testFolder(onTestFinished), keys);
    const { page } = await site.visit();
    await page.goto(`${guarded.url}/#/experiments`);
    await page.getByRole("button", { name: "Continue without" }).click();
    await settled(page);
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("Send a key with read access");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("dialog").waitFor();
  });
});
