import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// Runs a script of this folder by its name. Scripts import the server's adapters, which are TypeScript, so they are
// bundled first, into a cache.
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [name] = process.argv.splice(2, 1);
const outfile = here(`../node_modules/.cache/analytics-server/${name}.mjs`);

await build({
  entryPoints: [here(`${name}.ts`)],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  packages: "external",
  logLevel: "warning",
});
await import(outfile);
