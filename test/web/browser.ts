import type { Browser, BrowserContext } from "playwright-core";
import { describe } from "vitest";
import { CHROMIUM, FIREFOX, installed, type Program } from "./launch.ts";

/** Whether tests use a program. In CI, where it has to be installed, they fail without it. */
const isUsed = (program: Program): boolean =>
  installed(program) !== undefined || process.env.CI !== undefined;

/** Whether a test can use Chromium. In CI, where there must be one, it fails without one. */
export const hasBrowser = isUsed(CHROMIUM);

/** Tests that need Chromium. Without one they are reported as skipped; in CI, where there must be one, they fail. */
export const describeInBrowser = describe.skipIf(!hasBrowser);

/** The same for tests that need Firefox. Their title says why they are skipped. */
export const describeInFirefox = (title: string, tests: () => void) =>
  isUsed(FIREFOX)
    ? describe(title, tests)
    : describe.skip(`${title} (no Firefox is installed; FIREFOX can name its path)`, tests);

/** A visitor with a browser of their own until the test ends: browsers share no storage. */
export async function testVisitor(
  onTestFinished: (act: () => Promise<void>) => void,
  browser: Browser,
): Promise<BrowserContext> {
  const visitor = await browser.newContext();
  onTestFinished(() => visitor.close());
  return visitor;
}
