import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { beforeAll, expect, test, vi } from "vitest";
import { filesBelow } from "../../../adapters/http/files.ts";
import { describeInBrowser } from "../browser.ts";
import { fill, open, openSite, send, viewsOf } from "./site.ts";

// Some of these visit every view: ten seconds here, a minute or more where others work too.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe finds that keeps people out; as "color-contrast: <small>…". */
async function barriersOn(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  const found = await page.evaluate<Finding[]>("axe.run().then(({ violations }) => violations)");
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Turns "/apiv1/ab-tests/{test_id}" into what matches such paths. */
const pathPattern = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);

/** The requests that are neither in the server's OpenAPI document nor for a static file, or that went elsewhere. */
async function undocumented(url: string, requests: readonly string[]): Promise<string[]> {
  const { paths } = await send<{ paths: Record<string, object> }>(`${url}/apiv1/openapi.json`, "GET");
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
  const operations = [...documented, ...filesBelow("")].map(({ method, path }) => ({
    method,
    pattern: pathPattern(path),
  }));
  return requests.filter((request) => {
    const [asked = "", address = ""] = request.split(" ");
    const { origin, pathname } = new URL(address);
    return (
      origin !== url || !operations.some(({ method, pattern }) => method === asked && pattern.test(pathname))
    );
  });
}

describeInBrowser("the dashboard's page", () => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
  });

  test.each([
    { colorScheme: "light", width: 1280 },
    { colorScheme: "dark", width: 390 },
  ] as const)("keeps nobody out, in $colorScheme, $width pixels wide", async ({ colorScheme, width }) => {
    // The policy of the page forbids the checker too.
    const options = { colorScheme, bypassCSP: true, viewport: { width, height: 800 } };
    const { page } = await site.visit(options);
    const found: string[] = [];
    for (const [name, link] of Object.entries(views)) {
      await open(page, site.url, link);
      for (const details of await page.locator("details").all()) await details.evaluate(unfold);
      found.push(...(await barriersOn(page)).map((barrier) => `${name}: ${barrier}`));
    }
    expect(found).toEqual([]);
  });

  test("keeps nobody out of its dialogs", async () => {
    const { page } = await site.visit({ bypassCSP: true });
    await open(page, site.url, views["a winner"] ?? "");
    await page.getByRole("button", { name: "Stop the experiment …" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await barriersOn(page)).toEqual([]);
  });

  test("fits a phone: it never scrolls sideways, and a finger hits what is to be pressed", async () => {
    const { page } = await site.visit({ viewport: { width: 390, height: 800 } });
    for (const [name, link] of Object.entries(views)) {
      await open(page, site.url, link);
      const overhang = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      const cut = await page.locator(".stacks").evaluateAll(widthsOutOfSight);
      const targets = await page.locator("button:visible, select:visible, nav a, summary").all();
      const heights = await Promise.all(
        targets.map(async (target) => (await target.boundingBox())?.height ?? 0),
      );
      // What is out of sight until it has the focus, as the skip link, is as tall as the others.
      expect({ name, overhang, cut, small: heights.filter((height) => height < 44) }).toEqual({
        name,
        overhang: 0,
        cut: [],
        small: [],
      });
    }
  });

  test("asks for nothing but what the API documents, and nobody but its server", async () => {
    const { page, requests, complaints } = await site.visit();
    for (const link of Object.values(views)) await open(page, site.url, link);
    await open(page, site.url, "#/experiments/new");
    await page.getByLabel("Name", { exact: true }).fill("documented");
    await page.getByLabel("Name of metric 1").fill("paid");
    await page.getByRole("button", { name: "Create the experiment" }).click();
    await page.getByRole("button", { name: "Stop the experiment …" }).click();
    await page.getByRole("button", { name: "Stop the experiment", exact: true }).click();
    await page.getByText("stopped", { exact: true }).waitFor();
    const asked = requests.filter((request) => !request.includes("about:"));
    expect(await undocumented(site.url, asked)).toEqual([]);
    expect(new Set(asked.map((request) => request.split("?")[0])).size).toBeGreaterThan(15);
    // Nor does the strict policy of the page forbid anything that it does.
    expect(complaints).toEqual([]);
  });

  test("is held to the documented API by a check that can fail", async () => {
    const strange = [
      `GET ${site.url}/apiv1/secrets`,
      `PUT ${site.url}/apiv1/ab-tests/1`,
      "GET http://x.example/",
    ];
    expect(await undocumented(site.url, [...strange, `GET ${site.url}/apiv1/ab-tests/1`])).toEqual(strange);
  });

  test("is used by keyboard alone", async () => {
    const { page } = await site.visit();
    await open(page, site.url, "#/experiments");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "New experiment" }).waitFor();
    // The focus has followed to the new view, as it would to a new page.
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
    expect(await page.title()).toBe("New experiment – Analytics Server");
  });

  test("says in words what went wrong, and goes on when it is asked again", async () => {
    const { page } = await site.visit();
    await open(page, site.url, "#/experiments/999");
    await expect.poll(() => page.getByRole("alert").textContent()).toMatch(/There is no A\/B test 999/i);
    await page.route("**/apiv1/events/trend**", (route) => route.abort());
    await open(page, site.url, "#/trend");
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("The server does not answer.");
    await page.unroute("**/apiv1/events/trend**");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("img", { name: /^Events per day/ }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("shows something for every link, also for one that nobody here has made", async () => {
    const { page, complaints } = await site.visit();
    const odd = [
      "timezone=Nowhere/Land",
      "interval=decade&from=x",
      "days=1e9&where[]=&where[a]=",
      "%E0%A4%A",
    ];
    for (const query of odd) {
      for (const view of ["trend", "events", "funnel", "retention", "experiments", "sample-size"]) {
        await open(page, site.url, `#/${view}?${query}`);
        expect(await page.getByRole("heading", { level: 1 }).textContent()).not.toContain("cannot be shown");
      }
    }
    // What the server refuses is said on the page, and the browser notes it too.
    expect(complaints.filter((complaint) => !complaint.includes("400 (Bad Request)"))).toEqual([]);
  });

  test("keeps its navigation where a view has a defect, and shows the next view", async () => {
    const { page } = await site.visit();
    await page.route("**/apiv1/events/retention**", (route) => route.fulfill({ json: { cohorts: null } }));
    await open(page, site.url, "#/retention");
    await page.getByRole("heading", { name: "This view failed" }).waitFor();
    await page.getByRole("link", { name: "Trend", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Trend" }).waitFor();
  });
});

/** By how much each of these is wider than what is shown of it. */
function widthsOutOfSight(parts: Element[]): number[] {
  return parts.map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth).filter((width) => width > 0);
}

function unfold(details: Element): void {
  details.setAttribute("open", "");
}
