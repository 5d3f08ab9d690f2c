import { basename } from "node:path";

// Libraries that a start does not need, and the export of each that is used. Parsing and running them takes a tenth of a
// start, so each is built into a file of its own, which is read when the export is first used.
const LIBRARIES = {
  "@aws-lambda-powertools/logger": "Logger",
  "@stdlib/math-base-special-betainc": "default",
  "@stdlib/math-base-special-erfc": "default",
  "@stdlib/math-base-special-erfcinv": "default",
  "@stdlib/math-base-special-gammaln": "default",
  "temporal-polyfill": "Temporal",
};

const fileOf = (library) => `./${basename(library)}.cjs`;

/** A module in place of a library. Its export can be used as that of the library: called, constructed, and read. */
function standInOf(library) {
  const name = LIBRARIES[library];
  const [declared, member] = name === "default" ? ["default", ""] : [`const ${name} =`, `.${name}`];
  return `
    let loaded;
    const load = () => (loaded ??= require("${fileOf(library)}")${member});
    export ${declared} new Proxy(function () {}, {
      apply: (_, self, values) => load().apply(self, values),
      construct: (_, values) => new (load())(...values),
      get: (_, key) => load()[key],
    });`;
}

const NAMESPACE = "on-demand";

/** Replaces each library by a module that reads it at the first use. */
export const onDemand = {
  name: NAMESPACE,
  setup({ onResolve, onLoad }) {
    const libraries = new RegExp(`^(?:${Object.keys(LIBRARIES).join("|")})$`);
    onResolve({ filter: libraries }, ({ path }) => ({ path, namespace: NAMESPACE }));
    onResolve({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({ contents: standInOf(path) }));
  },
};

/** The options of esbuild that build the files of the libraries. */
export const onDemandFiles = {
  entryPoints: Object.keys(LIBRARIES).map((library) => ({ in: library, out: basename(library) })),
  format: "cjs",
  outExtension: { ".js": ".cjs" },
};
