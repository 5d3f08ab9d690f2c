import { once } from "node:events";
import { parseArgs } from "node:util";
import type { Browser, Page, Request } from "playwright-core";
import { launchBrowser } from "../web/launch.ts";
import { inFolder, spawnNode, startChild } from "./processes.ts";
import { table } from "./report.ts";
import { spreadOf } from "./samples.ts";

// Opens the dashboard's first view on the demo data, each time in a browser context without a cache.
const { values: options } = parseArgs({ options: { events: { type: "string", default: "150000" } } });
const ROUNDS = 11;
const MOST_MS = 1_000;
const MOST_KIB = 90;

interface Opening {
  /** The view is rendered, and its links and fields work. */
  readonly interactive: number;
  /** The last figure is shown. */
  readonly complete: number;
  readonly requests: readonly Loaded[];
}

interface Loaded {
  readonly url: URL;
  /** The body as it was sent, compressed. */
  readonly bytes: number;
}

async function demoDatabase(folder: string): Promise<string> {
  const file = `${folder}/demo.db`;
  const args = ["scripts/run.mjs", "demo", "--events", options.events, "--database", file];
  const [code] = await once(spawnNode({ args }), "exit");
  if (code !== 0) throw new Error(`The demo ended with ${code}`);
  return file;
}

// Runs in the page: marks when the view is rendered, and when nothing of it is being loaded.
const MARK = `(function look() {
  const rendered = document.querySelector("h1") !== null;
  if (rendered && performance.getEntriesByName("interactive").length === 0) performance.mark("interactive");
  if (rendered && document.querySelector('[aria-busy="true"]') === null) performance.mark("complete");
  else requestAnimationFrame(look);
})()`;

const markedAt = (page: Page, mark: string): Promise<number> =>
  page.evaluate<number>(`performance.getEntriesByName("${mark}")[0].startTime`);

const loadedBy = async (request: Request): Promise<Loaded> => ({
  url: new URL(request.url()),
  bytes: (await request.sizes()).responseBodySize,
});

async function openOnce(page: Page, url: string): Promise<Opening> {
  const finished: Request[] = [];
  page.on("requestfinished", (request) => finished.push(request));
  await page.addInitScript(MARK);
  await page.goto(url);
  await page.locator("h1").waitFor();
  await page.locator('[aria-busy="true"]').waitFor({ state: "detached" });
  // The marks of the plot are loaded after the figures.
  await page.waitForLoadState("networkidle");
  return {
    interactive: await markedAt(page, "interactive"),
    complete: await markedAt(page, "complete"),
    requests: await Promise.all(finished.map(loadedBy)),
  };
}

async function openings(browser: Browser, url: string): Promise<readonly Opening[]> {
  const measured: Opening[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    measured.push(await openOnce(await context.newPage(), url));
    await context.close();
  }
  return measured;
}

const KIB = 1024;
const isFigures = ({ url }: Loaded): boolean => url.pathname.startsWith("/apiv1/");
const kibibytes = (loaded: readonly Loaded[]): number =>
  loaded.reduce((sum, { bytes }) => sum + bytes, 0) / KIB;

/** Prints the figures, and returns whether the targets are reached. */
function report(measured: readonly Opening[], origin: string): boolean {
  const spread = (of: (opening: Opening) => number) => spreadOf(measured.map(of));
  const interactive = spread((opening) => opening.interactive);
  const files = spread(({ requests }) => kibibytes(requests.filter((request) => !isFigures(request))));
  const foreign = spread(({ requests }) => requests.filter(({ url }) => url.origin !== origin).length);
  const rows: readonly (readonly [string, ReturnType<typeof spread>, string])[] = [
    ["interactive, ms", interactive, `${MOST_MS}`],
    ["with all figures, ms", spread(({ complete }) => complete), ""],
    ["its files, compressed, KiB", files, `${MOST_KIB}`],
    ["its figures, compressed, KiB", spread(({ requests }) => kibibytes(requests.filter(isFigures))), ""],
    ["requests", spread(({ requests }) => requests.length), ""],
    ["requests to other servers", foreign, "0"],
  ];
  const cells = rows.map(([name, { median, min, max }, target]) => [
    name,
    ...[median, min, max].map((figure) => figure.toFixed(0)),
    target,
  ]);
  process.stdout.write(`${table(["first view", "median", "least", "most", "target"], cells)}\n`);
  return interactive.median <= MOST_MS && files.median <= MOST_KIB && foreign.max === 0;
}

await inFolder(async (folder) => {
  const database = await demoDatabase(folder);
  const server = await startChild({
    args: ["dist/serve.mjs"],
    env: { ANALYTICS_PORT: "0", ANALYTICS_DATABASE: database },
  });
  const browser = await launchBrowser();
  try {
    process.exitCode = report(await openings(browser, server.url), server.url) ? 0 : 1;
  } finally {
    await browser.close();
    await server.stop();
  }
});
process.exit();
