import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { awaitOutput, stopChild } from "../bench/processes.ts";
import { post, track } from "../end-to-end/client.ts";
import { countEvents, LISTENING, openFolder, testFolder } from "../end-to-end/servers.ts";
import { describeInBrowser } from "../web/browser.ts";
import { launchBrowser } from "../web/launch.ts";
import { fetchNode, nodeOf, plainVariables, runsReleases } from "./nodes.ts";

const run = promisify(execFile);
const project = inject("project");
const RELEASES = ["22", "24", "26"];

/** Gives the seconds since its last call. */
function stopwatch(): () => string {
  let from = performance.now();
  return () => {
    const seconds = (performance.now() - from) / 1_000;
    from = performance.now();
    return seconds.toFixed(1);
  };
}

/** A folder for PATH with nothing but Node and npm in it: no compiler, no Python, no make. */
async function barePath(folder: string): Promise<string> {
  const bin = join(folder, "bin");
  const { stdout } = await run("which", ["npm"]);
  await mkdir(bin);
  await symlink(process.execPath, join(bin, "node"));
  await symlink(stdout.trim(), join(bin, "npm"));
  return bin;
}

/** An application's folder in which the package is installed, as a person would do it. */
async function installed(folder: string, tarball: string): Promise<string> {
  const app = join(folder, "app");
  await mkdir(app);
  const env = { ...plainVariables(), PATH: await barePath(folder) };
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], { cwd: app, env });
  return app;
}

describeInBrowser("the package", { skip: !runsReleases }, () => {
  let tarball = "";
  let remove: () => Promise<void> = async () => {};
  let browser: Browser;

  beforeAll(async () => {
    const packed = await openFolder();
    remove = packed.remove;
    await Promise.all(RELEASES.map(fetchNode));
    await run("npm", ["pack", join(project, "dist"), "--pack-destination", packed.folder]);
    const [name = ""] = await readdir(packed.folder);
    tarball = join(packed.folder, name);
    browser = await launchBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await remove();
  });

  test.for(RELEASES)(
    "is installed without a compiler, and serves, assigns, shows and backs up on Node %s",
    {
      timeout: 180_000,
    },
    async (release, { onTestFinished, annotate }) => {
      const lap = stopwatch();
      const folder = await testFolder(onTestFinished);
      const app = await installed(folder, tarball);
      const installing = lap();
      const program = join(app, "node_modules/.bin/analytics-server");
      const command = { cwd: app, env: { ...plainVariables(), PATH: dirname(nodeOf(release)) } };

      const server: ChildProcess = spawn(nodeOf(release), [program, "--port", "0"], command);
      onTestFinished(() => stopChild(server));
      const [, url = ""] = await awaitOutput(server, LISTENING);
      const starting = lap();
      expect((await track(url)).status).toBe(201);
      const variants = [{ variant_name: "red" }, { variant_name: "blue" }];
      expect((await post(url, "/apiv1/ab-tests", { test_name: "colour", variants })).status).toBe(201);
      expect((await post(url, "/apiv1/ab-tests/1/assign", { user_id: "ann" })).status).toBe(201);

      const page = await browser.newPage();
      await page.goto(`${url}/#/experiments`);
      await page.getByText("colour").first().waitFor();
      await page.close();
      const using = lap();

      await run(nodeOf(release), [program, "backup", "backups.db"], command);
      await stopChild(server);
      expect(server.exitCode).toBe(0);
      await annotate(
        `Node ${release}: installed in ${installing} s, started in ${starting} s, an event, a test, a user and the dashboard in ` +
          `${using} s, backed up and stopped in ${lap()} s`,
      );
      await mkdir(join(app, "restored"));
      await run(
        nodeOf(release),
        [program, "restore", "backups.db", "--database", "restored/analytics.db"],
        command,
      );
      expect(countEvents(join(app, "restored"))).toBe(1);
    },
  );
});
