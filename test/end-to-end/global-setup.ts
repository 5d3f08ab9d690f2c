import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../..", import.meta.url));
const NOT_COPIED = new Set([".git", ".serverless", "coverage", "data", "dist", "node_modules", "test"]);

declare module "vitest" {
  interface ProvidedContext {
    /** A folder with a built copy of the project. */
    readonly project: string;
  }
}

/** The project without its tests and data; dependencies are shared. */
async function copyProject(folder: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => !NOT_COPIED.has(name));
  await Promise.all(names.map((name) => cp(join(root, name), join(folder, name), { recursive: true })));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
}

/**
 * Builds once, in a copy of the project, so that a build of the project during the tests and the tested servers do not
 * replace each other's dist/.
 */
export default async function setUp({ provide }: TestProject) {
  const project = await mkdtemp(join(tmpdir(), "analytics-project-"));
  await copyProject(project);
  await promisify(execFile)(process.execPath, ["scripts/build.mjs"], { cwd: project });
  provide("project", project);
  return () => rm(project, { recursive: true, force: true });
}
