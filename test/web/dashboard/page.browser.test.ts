import { beforeAll, expect, test, vi } from "vitest";
import { filesBelow } from "../../../adapters/http/answers/files.ts";
import { describeInBrowser } from "../browser.ts";
import { barriersOn, barriersUnfolded } from "./barriers.ts";
import { openNewExperimentByKeyboard } from "./keyboard-stories.ts";
import { fill, fillPageViews, open, openSite, send, viewsOf } from "./site.ts";

// Some tests visit every view: ten seconds on an idle machine, a minute on a busy one.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

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

/** The element with the first figures of a view. */
const FIRST_FIGURES: Readonly<Record<string, string>> = {
  "the overview": ".tiles",
  "the experiments": ".card-users",
  "a winner": ".sentence",
  "a broken split": ".alarm h2",
  "the sample size": ".sentence",
  "the events": ".events > li",
  "a user": "dl",
  "the trend": ".time-plot .canvas",
  "the funnel": ".answered h2",
  "the retention": "tbody tr",
};

describeInBrowser("the dashboard's page", () => {
  const site = openSite();
  let views: Readonly<Record<string, string>>;

  beforeAll(async () => {
    views = viewsOf(await fill(site));
    await fillPageViews(site);
  });

  test.each([
    { colorScheme: "light", width: 1280 },
    { colorScheme: "dark", width: 390 },
  ] as const)(
    "has no accessibility barriers, in $colorScheme, $width pixels wide",
    async ({ colorScheme, width }) => {
      const { page } = await site.visit({ colorScheme, viewport: { width, height: 800 } });
      const found: string[] = [];
      for (const [name, link] of Object.entries(views)) {
        await open(page, site.url, link);
        found.push(...(await barriersUnfolded(page)).map((barrier) => `${name}: ${barrier}`));
      }
      expect(found).toEqual([]);
    },
  );

  test("has no accessibility barriers in its dialogs", async () => {
    const page = await site.visited(views["a winner"] ?? "");
    await page.getByRole("button", { name: "Stop the experiment …" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await barriersOn(page)).toEqual([]);
    await open(page, site.url, views["the trend"] ?? "");
    await page.getByRole("button", { name: "Save …" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await barriersOn(page)).toEqual([]);
  });

  test("fits a phone: no horizontal scrolling, and touch targets are large enough", async () => {
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
      // The skip link, which is hidden until it has the focus, is as tall as the others.
      expect({ name, overhang, cut, small: heights.filter((height) => height < 44) }).toEqual({
        name,
        overhang: 0,
        cut: [],
        small: [],
      });
    }
  });

  test("sends documented requests alone, and to its own server alone", async () => {
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

  test("shows the first figure on the first screen of a phone, with the filters folded", async () => {
    const { page } = await site.visit({ viewport: { width: 390, height: 844 } });
    for (const [name, figure] of Object.entries(FIRST_FIGURES)) {
      await open(page, site.url, views[name] ?? "");
      const box = await page.locator(figure).first().boundingBox();
      expect((box?.y ?? Number.NaN) + (box?.height ?? Number.NaN), name).toBeLessThanOrEqual(844);
    }
  });

  test("unfolds the filters on a phone, and says how many are active", async () => {
    const page = await site.visited("#/trend?event_type=product_view&days=7&where[plan]=pro", {
      viewport: { width: 390, height: 844 },
    });
    const button = page.getByRole("button", { name: "Filters: 2 active" });
    expect(await button.getAttribute("aria-expanded")).toBe("false");
    expect(await page.getByLabel("Measure").isVisible()).toBe(false);
    await button.click();
    expect(await button.getAttribute("aria-expanded")).toBe("true");
    await page.getByLabel("Measure").selectOption("users");
    await page.getByRole("button", { name: "Filters: 3 active" }).waitFor();
    expect(await page.getByLabel("Measure").isVisible()).toBe(true);
    await page.setViewportSize({ width: 1280, height: 844 });
    expect(await page.locator(".fold").isVisible()).toBe(false);
  });

  test("asks an endpoint once for a view, however many cards and rows it has", async () => {
    const { page, requests } = await site.visit();
    for (const [name, link] of Object.entries(views)) {
      requests.splice(0);
      await open(page, site.url, link);
      await page.waitForLoadState("networkidle");
      const asked = requests
        .map((request) => new URL(request.split(" ")[1] ?? "").pathname)
        .filter((path) => path.startsWith("/apiv1/"));
      expect({ name, asked }).toEqual({ name, asked: [...new Set(asked)] });
      expect(asked.length, name).toBeLessThanOrEqual(5);
    }
  });

  test("is checked against the documented API by a check that can fail", async () => {
    const strange = [
      `GET ${site.url}/apiv1/secrets`,
      `PUT ${site.url}/apiv1/ab-tests/1`,
      "GET http://x.example/",
    ];
    expect(await undocumented(site.url, [...strange, `GET ${site.url}/apiv1/ab-tests/1`])).toEqual(strange);
  });

  test("can be used by keyboard alone", async () => {
    await openNewExperimentByKeyboard(await site.visited("#/experiments"));
  });

  test("explains a failure, and continues when it is retried", async () => {
    const { page } = await site.visit();
    await open(page, site.url, "#/experiments/999");
    await expect
      .poll(() => page.locator(".notice > p").first().textContent())
      .toBe(" There is no experiment 999.");
    await page.route("**/apiv1/events/trend**", (route) => route.abort());
    await open(page, site.url, "#/trend");
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("The server does not respond.");
    await page.unroute("**/apiv1/events/trend**");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("img", { name: /^Events per day/ }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("shows a view for every link, also for a malformed one", async () => {
    const { page, complaints } = await site.visit();
    const odd = [
      "timezone=Nowhere/Land",
      "interval=decade&from=x",
      "days=1e9&where[]=&where[a]=",
      "%E0%A4%A",
    ];
    for (const query of odd) {
      for (const view of [
        "overview",
        "trend",
        "events",
        "funnel",
        "retention",
        "experiments",
        "sample-size",
      ]) {
        await open(page, site.url, `#/${view}?${query}`);
        expect(await page.getByRole("heading", { level: 1 }).textContent()).not.toContain("cannot be shown");
      }
    }
    // The browser logs refused requests, which the page shows.
    expect(complaints.filter((complaint) => !complaint.includes("400 (Bad Request)"))).toEqual([]);
  });

  test("keeps its navigation where a view fails, and shows the next view", async () => {
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
