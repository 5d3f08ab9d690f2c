import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

// zod carries its messages in fifty languages, half of the bundle and of the time to load it; we speak one of them.
const oneLocale = {
  name: "one-locale",
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/** Writes what is new and removes what is old: a process that runs from dist/ meanwhile misses nothing it has. */
async function replaceFiles(folder, files) {
  for (const { path, contents } of files) {
    const current = await readFile(path).catch(() => undefined);
    if (current?.equals(contents)) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
  const fresh = new Set(files.map(({ path }) => path));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const present = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  await Promise.all(present.filter((path) => !fresh.has(path)).map((path) => rm(path, { force: true })));
}

/** Bundles what runs outside of the tests into dist/, in about a tenth of a second. */
export async function buildAll() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { lambda: "adapters/lambda.ts", server: "adapters/server.ts", serve: "adapters/serve.ts" },
    outdir: "dist",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    platform: "node",
    target: "node20.19",
    format: "esm",
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: "linked",
    legalComments: "none",
    // Native: the first is not there on Lambda, and the second, a faster PostgreSQL driver, nowhere.
    external: ["better-sqlite3", "pg-native"],
    plugins: [oneLocale],
    // CommonJS dependencies within an ESM bundle ask for require.
    banner: {
      js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
    },
    logLevel: "warning",
    write: false,
  });
  await replaceFiles(join(root, "dist"), outputFiles);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll();
