import { rm } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

// Bundles the bench, because Node 20 cannot run TypeScript. The bundles are inside node_modules so that imports
// resolve.
const root = fileURLToPath(new URL("../..", import.meta.url));
const outdir = `${root}node_modules/.cache/analytics-bench`;
const [program = "bench", ...options] = process.argv.slice(2);
const isProgram = [
  "bench",
  "crash",
  "dashboard",
  "erase",
  "false-alarms",
  "hostile",
  "idle-connections",
  "players",
  "queries",
  "upgrade",
].includes(program);

process.chdir(root);
await rm(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ["test/bench/*.ts", "test/bench/contenders/*.ts"],
  outbase: "test/bench",
  outdir,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20.19",
  format: "esm",
  logLevel: "warning",
});
process.argv.splice(2, Number.POSITIVE_INFINITY, ...(isProgram ? options : [program, ...options]));
await import(pathToFileURL(`${outdir}/${isProgram ? program : "bench"}.mjs`).href);
