import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";
import { bundledPackages, noticesOf } from "./notices.mjs";
import { onDemand, onDemandFiles } from "./on-demand.mjs";
import { publishedFiles } from "./published.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

// zod brings its messages in fifty languages, half of the bundle and of its load time. Only English is used.
const oneLocale = {
  name: "one-locale",
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

// Of a namespace, esbuild leaves out what is not used only where the namespace itself is imported. zod's is an export of its
// module as well, and that is what the sources import, as zod's documentation does.
const usedOfZod = {
  name: "used-of-zod",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](?:domain|handlers|adapters|scripts)[\\/].*\.ts$/ }, async ({ path }) => {
      if (path.endsWith(".d.ts")) return undefined;
      const text = await readFile(path, "utf8");
      return {
        loader: "ts",
        contents: text.replace('import { z } from "zod";', 'import * as z from "zod";'),
      };
    });
  },
};

/** Writes changed files and removes stale ones, so that a process that runs from dist/ meanwhile keeps its own. */
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

const forWeb = {
  absWorkingDir: root,
  outdir: "dist/web",
  bundle: true,
  platform: "browser",
  target: ["chrome109", "firefox115", "safari16.4"],
  format: "esm",
  minify: true,
  // dist/THIRD-PARTY-NOTICES.txt holds the notices.
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  write: false,
};

/** A plugin that puts one module of the clients in the place of another. */
const inPlaceOf = (name, other) => ({
  name: `${other}-in-place-of-${name}`,
  setup({ onResolve, resolve }) {
    onResolve({ filter: new RegExp(`/${name}\\.ts$`) }, ({ kind, resolveDir }) =>
      resolve(`./${other}.ts`, { kind, resolveDir }),
    );
  },
});

// A client loads the code that follows a page on request, from a file next to its own.
const pageViewsApart = {
  name: "page-views-apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/page-views\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./page-views.js", external: true } : undefined,
    );
  },
};

const inPage = inPlaceOf("later", "later-in-page");

/** Bundles the dashboard, the client for Node and the OpenFeature providers into dist/web/. Pages and types are copied. */
const buildWeb = async () =>
  build({
    ...forWeb,
    entryPoints: await webEntries(),
    // The application brings its OpenFeature SDK.
    external: ["@openfeature/*"],
    loader: { ".html": "copy", ".svg": "copy", ".d.ts": "copy" },
  });

/** Bundles the clients of pages: two modules, and the script of a classic tag, in which an export is a syntax error. */
const buildClients = () =>
  Promise.all([
    build({
      ...forWeb,
      entryPoints: ["client", "visitor", "page-views"].map((name) => `web/client/${name}.ts`),
      plugins: [inPage, pageViewsApart],
    }),
    build({
      ...forWeb,
      entryPoints: ["web/client/script.ts"],
      format: "iife",
      define: { "import.meta.url": "undefined" },
      plugins: [inPage, inPlaceOf("load-page-views", "page-views")],
    }),
  ]);

const WEB_FILE =
  /^web\/(?:[\w-]+\/)*[\w-]+\.(?:html|svg|d\.ts)$|^web\/(?:client\/(?:node|openfeature\/openfeature-(?:server|web))|dashboard\/dashboard)\.(?:tsx?|css)$/;

async function webEntries() {
  const names = await readdir(join(root, "web"), { recursive: true }).catch(() => []);
  const files = names
    .map((name) => `web/${name.replaceAll("\\", "/")}`)
    .filter((file) => WEB_FILE.test(file));
  return files.map((file) => ({ in: file, out: parse(file).name }));
}

// Each page view loads one of these files. It is a twentieth smaller after a second minifier.
const CLIENTS = ["client.js", "visitor.js", "page-views.js", "script.js"].map((name) =>
  join(root, "dist/web", name),
);

async function shrinkClient(file) {
  if (!CLIENTS.includes(file.path)) return file;
  const module = !file.path.endsWith("script.js");
  const { code } = await minify(file.text, {
    module,
    ecma: 2020,
    // The unsafe ones are about objects that no client has, such as those that are another text than their value.
    compress: {
      module,
      ecma: 2020,
      passes: 5,
      hoist_funs: true,
      unsafe: true,
      unsafe_arrows: true,
      unsafe_methods: true,
    },
  });
  return { path: file.path, contents: Buffer.from(code) };
}

const forNode = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: "linked",
  // dist/THIRD-PARTY-NOTICES.txt holds the notices.
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  write: false,
};

/** Bundles the Lambda functions, the plain server, the command line and the module for programs that mount it. */
const buildServers = () =>
  build({
    ...forNode,
    entryPoints: {
      lambda: "adapters/lambda.ts",
      server: "adapters/server.ts",
      serve: "adapters/serve.ts",
      offline: "adapters/offline.ts",
      cli: "scripts/cli.ts",
      "copy-thread": "scripts/commands/copy-thread.ts",
      "sqlite-thread": "adapters/sqlite/reports/thread.ts",
      "server.d": "adapters/declarations/server.d.ts",
    },
    outExtension: { ".js": ".mjs" },
    loader: { ".d.ts": "copy" },
    splitting: true,
    // In the folder of the entries, so that relative URLs within a chunk resolve.
    chunkNames: "[name]-[hash]",
    format: "esm",
    // Native modules. The first is not on Lambda; the second, a faster PostgreSQL driver, is never installed.
    external: ["better-sqlite3", "pg-native"],
    plugins: [oneLocale, usedOfZod, onDemand],
    // CommonJS dependencies within an ESM bundle call require.
    banner: {
      js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
    },
  });

const buildOnDemand = () => build({ ...forNode, ...onDemandFiles });

/** Bundles everything into dist/, in about half a second. `npm pack ./dist` and `npm pack ./dist/client` make the packages. */
export async function buildAll() {
  const bundles = (await Promise.all([buildServers(), buildOnDemand(), buildWeb(), buildClients()])).flat();
  const notices = noticesOf(
    await bundledPackages(
      root,
      bundles.map(({ metafile }) => metafile),
    ),
  );
  const noticesFile = { path: join(root, "dist/THIRD-PARTY-NOTICES.txt"), contents: Buffer.from(notices) };
  const files = await Promise.all(bundles.flatMap(({ outputFiles }) => outputFiles).map(shrinkClient));
  await replaceFiles(join(root, "dist"), [...files, noticesFile, ...(await publishedFiles(root, files))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll();
