import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// The copy speaks through the server's own adapters, which are TypeScript: it is bundled where no package looks.
const outfile = fileURLToPath(new URL("../node_modules/.cache/analytics-server/copy.mjs", import.meta.url));

await build({
  entryPoints: [fileURLToPath(new URL("copy.ts", import.meta.url))],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  packages: "external",
  logLevel: "warning",
});
await import(outfile);
