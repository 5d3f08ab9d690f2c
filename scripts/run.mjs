import { createHash } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

// Runs a command from the sources. They are TypeScript, so they are bundled first, into a cache. Bundles with other
// contents have another folder, and a folder gets its name when it is complete: several commands may run at once.
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const cache = here("../node_modules/.cache/analytics-server");

const { outputFiles } = await build({
  entryPoints: { cli: here("cli.ts"), "copy-thread": here("commands/copy-thread.ts") },
  outdir: cache,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  packages: "external",
  logLevel: "warning",
  write: false,
});
const digest = createHash("sha256");
for (const { hash } of outputFiles) digest.update(hash);
const folder = join(cache, digest.digest("hex").slice(0, 16));
const partial = `${folder}-${process.pid}`;
await mkdir(partial, { recursive: true });
await Promise.all(
  outputFiles.map(({ path, contents }) => writeFile(join(partial, basename(path)), contents)),
);
// Fails where another process was first, whose files are the same.
await rename(partial, folder).catch(() => rm(partial, { recursive: true }));
await import(pathToFileURL(join(folder, "cli.mjs")).href);
