import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** The serious accessibility barriers that axe finds on a page, as "color-contrast: <small>…". */
export async function barriersOn(page: Page): Promise<string[]> {
  // Evaluated by the debugger and not added as a script, which the page's policy would block.
  await page.evaluate(await readFile(AXE, "utf8"));
  const found = await page.evaluate<Finding[]>("axe.run().then(({ violations }) => violations)");
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** The same with every folded part of the page open: axe does not check what is hidden. */
export async function barriersUnfolded(page: Page): Promise<string[]> {
  for (const button of await page.locator('.fold[aria-expanded="false"]:visible').all()) await button.click();
  for (const details of await page.locator("details").all()) {
    await details.evaluate((element) => element.setAttribute("open", ""));
  }
  return barriersOn(page);
}
