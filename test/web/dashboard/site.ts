import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { openFolder, plainServer, type TestServer } from "../../end-to-end/servers.ts";
import { launchBrowser } from "../launch.ts";

/** A server with its own database, and a browser to visit it. */
export interface Site {
  readonly url: string;
  /** A page in its own browser context until the test ends. */
  visit(options?: BrowserContextOptions): Promise<Visit>;
  /** A page with a loaded view. */
  visited(link: string, options?: BrowserContextOptions): Promise<Page>;
}

interface SiteOptions {
  /** Puts a database into the folder of the server. */
  readonly prepare?: (folder: string) => Promise<unknown>;
  readonly launch?: () => Promise<Browser>;
}

/** Opens a site for the tests of the enclosing block, to be visited in Chromium or in another browser. */
export function openSite({ prepare, launch = launchBrowser }: SiteOptions = {}): Site {
  let browser: Browser;
  let server: TestServer;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    const opened = await openFolder();
    remove = opened.remove;
    await prepare?.(opened.folder);
    [browser, server] = await Promise.all([launch(), plainServer.start(opened.folder)]);
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
    await remove();
  });

  return {
    get url() {
      return server.url;
    },
    visit: (options) => visit(browser, options),
    async visited(link, options) {
      const { page } = await visit(browser, options);
      await open(page, server.url, link);
      return page;
    },
  };
}

/** Sends JSON to the server as a backend would, and returns the answer. */
export async function send<T>(url: string, method: string, body?: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const DAY = 86_400_000;
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

interface Story {
  readonly name: string;
  readonly users: readonly [number, number];
  readonly converting: readonly [number, number];
}

/** An experiment with two variants over three days, by its users and conversions per variant. */
async function fillExperiment(
  { url }: Pick<Site, "url">,
  { name, users, converting }: Story,
): Promise<number> {
  const variants = ["red", "blue"];
  const { test_id } = await send<{ test_id: number }>(`${url}/apiv1/ab-tests`, "POST", {
    test_name: name,
    variants: variants.map((variant_name) => ({ variant_name })),
    metrics: [
      { metric_name: "signup", kind: "conversion", primary: true },
      { metric_name: "complaints", kind: "count", direction: "decrease" },
    ],
  });
  const everyone = variants.flatMap((variant, arm) =>
    Array.from({ length: users[arm] ?? 0 }, (_, index) => ({
      user_id: `${variant}-${index}`,
      variant,
      converts: index < (converting[arm] ?? 0),
      day: 3 - (index % 3),
    })),
  );
  const byDay = [...everyone].sort((a, b) => b.day - a.day);
  await send(
    `${url}/apiv1/ab-tests/${test_id}/assignments`,
    "POST",
    byDay.map(({ user_id, variant, day }) => ({ user_id, variant, assigned_at: daysAgo(day) })),
  );
  await send(
    `${url}/apiv1/ab-tests/${test_id}/track/batch`,
    "POST",
    byDay
      .filter(({ converts }) => converts)
      .map(({ user_id, day }) => ({ user_id, metric_name: "signup", timestamp: daysAgo(day - 0.01) })),
  );
  return test_id;
}

/** Users who view products on several days. Half of them put one into the cart, and a quarter buys. */
async function fillEvents({ url }: Pick<Site, "url">): Promise<void> {
  const events = Array.from({ length: 40 }, (_, user) => {
    const common = { user_id: `user-${user}`, session_id: `session-${user}` };
    const plan = user % 2 === 0 ? "free" : "pro";
    const seen = [9, 2].map((day) => ({
      ...common,
      event_type: "product_view",
      properties: { plan, price: user },
      timestamp: daysAgo(day),
    }));
    const steps = ["add_to_cart", "purchase"]
      .filter((_step, index) => user % (2 * (index + 1)) === 0)
      .map((event_type, index) => ({ ...common, event_type, timestamp: daysAgo(2 - 0.01 * (index + 1)) }));
    return [...seen, ...steps];
  });
  await send(`${url}/apiv1/events/batch`, "POST", events.flat());
}

/** Views of two pages by ten users, for the overview. */
export const fillPageViews = ({ url }: Pick<Site, "url">): Promise<unknown> =>
  send(
    `${url}/apiv1/events/batch`,
    "POST",
    Array.from({ length: 10 }, (_, user) => ({
      event_type: "page_view",
      user_id: `visitor-${user}`,
      session_id: `visit-${user}`,
      properties: {
        path: user < 7 ? "/" : "/plans",
        referrer: user % 2 === 0 ? "search.example" : undefined,
        utm_campaign: user === 9 ? "spring" : undefined,
        device: user < 4 ? "mobile" : "desktop",
        country: "DE",
      },
      timestamp: user === 0 ? new Date().toISOString() : daysAgo(user),
    })),
  );

const FUNNEL_STEPS = ["product_view", "add_to_cart", "purchase"].map((event_type) => ({ event_type }));

/** A saved question of each report, pinned to the overview, and one that is not. */
async function fillQuestions({ url }: Pick<Site, "url">): Promise<void> {
  const event_type = "product_view";
  const questions = [
    { name: "Views by plan", report: "trend", query: { event_type, breakdown: "plan" } },
    { name: "Buyers", report: "funnel", query: { steps: FUNNEL_STEPS } },
    { name: "Returning viewers", report: "retention", query: { event_type, interval: "day" } },
    { name: "All events", report: "trend", query: { from: "2026-01-01", to: "2026-01-31" } },
  ];
  for (const { name, ...question } of questions) {
    const range = "from" in question.query ? {} : { range: "last_30_days" };
    const body = { name, question: { ...question, ...range }, pinned: name !== "All events" };
    await send(`${url}/apiv1/questions`, "POST", body);
  }
}

/** Data for every view. */
export async function fill(site: Site) {
  const winner = await fillExperiment(site, { name: "button", users: [400, 400], converting: [40, 120] });
  const open = await fillExperiment(site, { name: "headline", users: [200, 200], converting: [50, 52] });
  const broken = await fillExperiment(site, { name: "redirect", users: [600, 400], converting: [60, 90] });
  const early = await fillExperiment(site, { name: "footer", users: [10, 10], converting: [1, 9] });
  await fillEvents(site);
  await fillQuestions(site);
  return { winner, open, broken, early };
}

/** A page, and a record of its requests and errors. */
export interface Visit {
  readonly page: Page;
  /** As "GET http://127.0.0.1:20000/apiv1/events?limit=50". */
  readonly requests: string[];
  /** Errors in the console, violations of the content security policy included. */
  readonly complaints: string[];
}

async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    timezoneId: "Europe/Berlin",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(`${request.method()} ${request.url()}`));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return { page, requests, complaints };
}

/** Waits until a view has all of its answers. */
export const settled = (page: Page) =>
  page.waitForFunction(
    () => document.querySelector("h1") !== null && document.querySelector('[aria-busy="true"]') === null,
  );

/** Opens a view by its link as a new page. */
export async function open(page: Page, url: string, link: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(`${url}/${link}`);
  await settled(page);
}

const STEPS = encodeURIComponent(JSON.stringify(FUNNEL_STEPS));

/** A link to every view, by the ids of `fill`. */
export const viewsOf = (ids: Awaited<ReturnType<typeof fill>>): Readonly<Record<string, string>> => ({
  "the overview": "#/overview",
  "the experiments": "#/experiments",
  "a winner": `#/experiments/${ids.winner}`,
  "no difference yet": `#/experiments/${ids.open}`,
  "a broken split": `#/experiments/${ids.broken}`,
  "the new experiment": "#/experiments/new",
  "the sample size": "#/sample-size",
  "the events": "#/events",
  "a user": "#/users/user-0",
  "the trend": "#/trend?event_type=product_view&breakdown=plan",
  "the funnel": `#/funnel?steps=${STEPS}&breakdown=plan`,
  "the retention": "#/retention?event_type=product_view",
  "the saved questions": "#/questions",
  "a link to nowhere": "#/nowhere",
});
