import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { compileScript, parse } from "vue/compiler-sfc";
import { describeInBrowser, testVisitor } from "../web/browser.ts";
import { testPage } from "../web/client/front.ts";
import { launchBrowser } from "../web/launch.ts";
import { shop } from "./quick-starts.ts";

/** Compiles a component of Vue, as its plugins for bundlers do. */
const vueFiles: Plugin = {
  name: "vue",
  setup({ onLoad }) {
    onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { descriptor } = parse(await readFile(path, "utf8"), { filename: path });
      return { contents: compileScript(descriptor, { id: "shop", inlineTemplate: true }).content };
    });
  },
};

const APPLICATIONS = [
  {
    title: "React 19",
    file: "shop.tsx",
    main: `import { createRoot } from "react-dom/client"; import { Shop } from "./shop.tsx";
      createRoot(document.querySelector("#app")).render(<Shop />);`,
  },
  {
    title: "Vue",
    file: "shop.vue",
    main: `import { createApp } from "vue"; import Shop from "./shop.vue"; createApp(Shop).mount("#app");`,
  },
];

describeInBrowser("in Chromium, the quick start for", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test("a plain page shows the variant first and only, and stores a sign-up and a page view", async () => {
    const { program, expectCounts, events } = await shop(onTestFinished);
    const page = await (await testVisitor(onTestFinished, browser)).newPage();
    await page.goto(await testPage(onTestFinished, await program("Plain page")));
    const button = page.getByRole("button", { name: "Buy" });
    await button.click();
    expect(await button.getAttribute("class")).toMatch(/^(?:red|blue)$/);
    await expectCounts({ users: 1, signups: 1 });
    await expect
      .poll(async () => (await events()).map(({ event_type }) => event_type), { timeout: 30_000 })
      .toEqual(["page_view"]);
  });

  test.each(APPLICATIONS)(
    "$title shows the variant first and only, and stores a sign-up",
    async (application) => {
      const { folder, program, expectCounts } = await shop(onTestFinished);
      await writeFile(join(folder, application.file), await program(application.title));
      await writeFile(join(folder, "main.jsx"), application.main);
      const { outputFiles } = await build({
        absWorkingDir: folder,
        entryPoints: ["main.jsx"],
        bundle: true,
        write: false,
        format: "esm",
        jsx: "automatic",
        define: { "process.env.NODE_ENV": '"production"' },
        plugins: [vueFiles],
      });
      const script = (outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script");
      // Notes each class that a button ever has.
      const watch = `globalThis.seen = new Set();
      new MutationObserver(() => document.querySelectorAll("button").forEach(({ className }) => seen.add(className)))
        .observe(document, { subtree: true, childList: true, attributes: true });`;
      const html = `<!doctype html><script>${watch}</script><div id="app"></div><script type="module">${script}</script>`;
      const page = await (await testVisitor(onTestFinished, browser)).newPage();
      await page.goto(await testPage(onTestFinished, html));
      await page.getByRole("button", { name: "Buy" }).click();
      await expectCounts({ users: 1, signups: 1 });
      expect(await page.evaluate(() => [...seen])).toEqual([expect.stringMatching(/^(?:red|blue)$/)]);
    },
  );
});

declare global {
  var seen: Set<string>;
}
