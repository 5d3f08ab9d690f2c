import type { Page } from "playwright-core";
import { afterEach, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { AnnotationReply } from "../../../domain/reports/annotation.ts";
import { testFolder, testServer } from "../../end-to-end/servers.ts";
import { describeInBrowser } from "../browser.ts";
import { barriersOn } from "./barriers.ts";
import { fill, openSite, send, settled, viewsOf } from "./site.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const listed = (page: Page) => page.getByRole("list", { name: "Annotations" }).getByRole("listitem");

/** The plot as an image: it has other pixels with a mark than without. */
const drawing = (page: Page): Promise<string> =>
  page.locator("canvas").evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

/** Adds an annotation by keyboard, at the time that the form suggests or at another one. */
async function addByKeyboard(page: Page, text: string, at?: string): Promise<void> {
  await page.getByRole("button", { name: "Add an annotation …" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Add an annotation" });
  await dialog.waitFor();
  if (at !== undefined) {
    await dialog.getByLabel(/^Time, /).fill(at);
    await dialog.getByLabel("Text").focus();
  }
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** As a form field has it. The timeline of the experiment ends yesterday. */
const twoDaysAgo = (): string => new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 16);

const focused = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => document.activeElement?.textContent ?? undefined);

const overhang = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describeInBrowser.each([
  { width: 1280, colorScheme: "light" },
  { width: 390, colorScheme: "dark" },
] as const)("annotations at $width pixels, in $colorScheme", ({ width, colorScheme }) => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
  });

  const stored = () =>
    send<{ annotations: AnnotationReply[] }>(`${site.url}/apiv1/annotations`, "GET").then(
      ({ annotations }) => annotations,
    );

  afterEach(async () => {
    for (const { annotation_id } of await stored()) {
      await fetch(`${site.url}/apiv1/annotations/${annotation_id}`, { method: "DELETE" });
    }
  });

  const visited = (view: string): Promise<Page> =>
    site.visited(views[view] ?? "", { colorScheme, viewport: { width, height: 900 } });

  test.each([
    { name: "the trend", view: "the trend", at: undefined },
    { name: "the overview", view: "the overview", at: undefined },
    { name: "the timeline of an experiment", view: "a winner", at: twoDaysAgo() },
  ])("are added to $name and deleted by keyboard, in its list and on its axis", async ({ view, at }) => {
    const page = await visited(view);
    await page.locator("canvas").waitFor();
    const unmarked = await drawing(page);
    await addByKeyboard(page, "Release 2.0", at);
    await expect
      .poll(() => listed(page).allTextContents())
      .toEqual([expect.stringMatching(/^\d+ \w+ \d{4}, \d\d:\d\d UTC: Release 2\.0 Delete …$/)]);
    expect(await page.getByRole("status").filter({ hasText: "Added." }).textContent()).toBe("Added.");
    expect(await focused(page)).toBe("Add an annotation …");
    await expect.poll(() => drawing(page)).not.toBe(unmarked);
    expect([await barriersOn(page), await overhang(page)]).toEqual([[], 0]);

    await page.getByRole("button", { name: "Delete: Release 2.0" }).focus();
    await page.keyboard.press("Enter");
    const confirming = page.getByRole("dialog", { name: "Delete this annotation?" });
    await confirming.getByText("Release 2.0").waitFor();
    expect([await barriersOn(page), await overhang(page)]).toEqual([[], 0]);
    await confirming.getByRole("button", { name: "Delete the annotation" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => listed(page).count()).toBe(0);
    await expect.poll(() => focused(page)).toBe("Add an annotation …");
    await expect.poll(() => drawing(page)).toBe(unmarked);
    expect(await stored()).toEqual([]);
  });

  test("are left as they are by Escape, which returns to the button that opened the dialog", async () => {
    await send(`${site.url}/apiv1/annotations`, "POST", { text: "Campaign" });
    const page = await visited("the trend");
    for (const name of ["Add an annotation …", "Delete: Campaign"]) {
      const opener = page.getByRole("button", { name });
      await opener.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
      expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
    }
    expect(await listed(page).count()).toBe(1);
  });

  test("are refused in words at their field, and can be corrected", async () => {
    const page = await visited("the trend");
    await addByKeyboard(page, "x".repeat(201));
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/^This field .*200 characters/).waitFor();
    expect(await dialog.getByLabel("Text").getAttribute("aria-invalid")).toBe("true");
    expect([await barriersOn(page), await overhang(page)]).toEqual([[], 0]);
    await dialog.getByLabel("Text").fill("Short");
    await page.keyboard.press("Enter");
    await expect.poll(() => listed(page).count()).toBe(1);
  });

  test("have the time that clocks in the zone of the view show, also outside its dates, which it says", async () => {
    const page = await site.visited(`${views["the trend"]}&timezone=Asia/Tokyo`, {
      viewport: { width, height: 900 },
    });
    await page.getByRole("button", { name: "Add an annotation …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Text").fill("Long ago");
    await dialog.getByLabel("Time, in the time zone Asia/Tokyo").fill("2020-03-01T09:30");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("Added, at a time outside these dates.").waitFor();
    expect(await listed(page).count()).toBe(0);
    const { annotations } = await send<{ annotations: AnnotationReply[] }>(
      `${site.url}/apiv1/annotations?from=2020-01-01`,
      "GET",
    );
    expect(annotations.map(({ at, text }) => ({ at, text }))).toEqual([
      { at: "2020-03-01T00:30:00.000Z", text: "Long ago" },
    ]);
  });
});

describeInBrowser("annotations of a server that asks for keys", () => {
  const site = openSite();

  test("are shown to readers, and added with an admin key, which is asked for", async () => {
    const [read, admin] = ["read-key-of-sixteen", "admin-key-of-sixteen"];
    const keys = { ANALYTICS_READ_KEYS: read, ANALYTICS_ADMIN_KEYS: admin };
    const guarded = await testServer(onTestFinished, await testFolder(onTestFinished), keys);
    await fetch(`${guarded.url}/apiv1/events`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${admin}` },
      body: JSON.stringify({ event_type: "purchase" }),
    });
    const { page } = await site.visit();
    await page.goto(`${guarded.url}/#/trend`);
    await page.getByRole("textbox", { name: "Key with read access" }).fill(read);
    await page.keyboard.press("Enter");
    await settled(page);
    await page.getByRole("button", { name: "Add an annotation …" }).waitFor();
    await addByKeyboard(page, "Release 2.0");
    await page.getByRole("textbox", { name: "Key with admin access" }).fill(admin);
    await page.keyboard.press("Enter");
    await expect
      .poll(() => listed(page).allTextContents())
      .toEqual([expect.stringMatching(/ UTC: Release 2\.0 Delete …$/)]);
  });
});
