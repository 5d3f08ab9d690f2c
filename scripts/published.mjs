import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

// SQLite's driver as of version 13 brings its binaries along, so that installing compiles nothing; it needs Node 22. The
// project itself develops on 20 with version 12, which has the same calls.
const DRIVER = { "better-sqlite3": "13.2.0" };
const NODE = ">=22";

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
      "!lambda*.mjs",
      "!offline*.mjs",
      "server.d.ts",
      "web",
      "docs",
      "THIRD-PARTY-NOTICES.txt",
    ],
    dependencies: DRIVER,
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
    exports: {
      ".": { types: "./client.d.ts", default: "./client.js" },
      "./visitor": { types: "./visitor.d.ts", default: "./visitor.js" },
      "./node": { types: "./node.d.ts", default: "./node.js" },
    },
    publishConfig: { access: "public", provenance: true },
  };
}

const CLIENT_FILES = ["client.js", "visitor.js", "node.js"];
const CLIENT_TYPES = ["analytics.d.ts", "client.d.ts", "visitor.d.ts", "node.d.ts"];

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
    ...CLIENT_TYPES.map((name) => [`web/client/declarations/${name}`, `client/${name}`]),
  ];
  const clients = CLIENT_FILES.map((name) => ({
    path: join(dist, "client", name),
    contents: web.find(({ path }) => path === join(dist, "web", name)).contents,
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
