import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

// SQLite's driver as of version 13 brings its binaries along, so that installing compiles nothing; it needs Node 22. The
// project itself develops on 20 with version 12, which has the same calls.
const DRIVER = { "better-sqlite3": "13.2.0" };
const NODE = ">=22";

// An application that uses our OpenFeature providers brings the SDK.
const SDKS = {
  peerDependencies: { "@openfeature/server-sdk": "^1.6.0", "@openfeature/web-sdk": "^1.10.0" },
  peerDependenciesMeta: {
    "@openfeature/server-sdk": { optional: true },
    "@openfeature/web-sdk": { optional: true },
  },
};

const CLIENTS = ["client", "visitor", "node", "openfeature-server", "openfeature-web"];

const DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE"];

/** The manifest of the package, made from the project's own. */
function manifestOf({ name, version, description, license, author, type, exports }) {
  const published = (path) => path.replace("./dist/", "./");
  const entries = Object.entries(exports).map(([entry, { types, default: code }]) => [
    entry,
    { types: published(types), default: published(code) },
  ]);
  return {
    name,
    version,
    description,
    license,
    author,
    keywords: [
      "analytics",
      "ab-testing",
      "experiments",
      "feature-flags",
      "sqlite",
      "postgresql",
      "self-hosted",
    ],
    type,
    engines: { node: NODE },
    bin: { [name]: "cli.mjs" },
    exports: Object.fromEntries(entries),
    files: [
      "*.mjs",
      "*.cjs",
      "!lambda*.mjs",
      "!offline*.mjs",
      "server.d.ts",
      "web",
      "docs",
      "THIRD-PARTY-NOTICES.txt",
    ],
    dependencies: DRIVER,
    ...SDKS,
    publishConfig: { access: "public", provenance: true },
  };
}

/** The clients alone, for pages and applications that do not run the server: a package that installs nothing else. */
function clientManifestOf({ name, version, license, author }) {
  return {
    name: `@${name}/client`,
    version,
    description: "Tracks events and experiments with an Analytics Server, from a page or from Node.",
    license,
    author,
    keywords: ["analytics", "ab-testing", "tracking", "experiments"],
    type: "module",
    engines: { node: NODE },
    sideEffects: false,
    exports: Object.fromEntries(
      CLIENTS.map((file) => [
        file === "client" ? "." : `./${file}`,
        { types: `./${file}.d.ts`, default: `./${file}.js` },
      ]),
    ),
    ...SDKS,
    publishConfig: { access: "public", provenance: true },
  };
}

async function documentsOf(root) {
  const docs = (await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md"));
  return [...DOCUMENTS, ...docs.map((name) => join("docs", name))].map((name) => [name, name]);
}

const jsonFile = (path, value) => ({ path, contents: Buffer.from(`${JSON.stringify(value, null, 2)}\n`) });

/**
 * What the two packages hold besides the bundles: manifests and documents. `web` are the built files for browsers and the
 * client for Node.
 */
export async function publishedFiles(root, web) {
  const dist = join(root, "dist");
  const project = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const copies = [
    ...(await documentsOf(root)),
    ["LICENSE", "client/LICENSE"],
    ["docs/clients.md", "client/README.md"],
    ...["analytics", ...CLIENTS].map((name) => [
      `web/client/declarations/${name}.d.ts`,
      `client/${name}.d.ts`,
    ]),
  ];
  const clients = [...CLIENTS, "page-views"].map((name) => ({
    path: join(dist, "client", `${name}.js`),
    contents: web.find(({ path }) => path === join(dist, "web", `${name}.js`)).contents,
  }));
  const copied = copies.map(async ([from, to]) => ({
    path: join(dist, to),
    contents: await readFile(join(root, from)),
  }));
  return [
    jsonFile(join(dist, "package.json"), manifestOf(project)),
    jsonFile(join(dist, "client/package.json"), clientManifestOf(project)),
    ...clients,
    ...(await Promise.all(copied)),
  ];
}
