import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const PACKAGE = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//;
const NOTICE = /^(?:licen[cs]e|notice|copying)/i;

/** The folders of the packages that a bundle holds code of, from esbuild's list of its inputs. */
const foldersOf = (metafiles) =>
  new Set(
    metafiles
      .flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs)))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([path]) => PACKAGE.exec(path)?.[0])
      .filter((folder) => folder !== undefined),
  );

async function packageIn(folder) {
  const { name, version, license, author } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => NOTICE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  // A package that ships no licence file names its author and its licence in its manifest.
  const text = texts.map((each) => each.trim()).join("\n\n") || `Copyright ${author?.name ?? author ?? name}`;
  return { name, version, license, text };
}

/**
 * Every package that the bundles hold code of, with its licence and the notices that the licence asks to keep, by name.
 * Two versions of one package are two entries.
 */
export async function bundledPackages(root, metafiles) {
  const packages = await Promise.all(
    [...foldersOf(metafiles)].map((folder) => packageIn(join(root, folder))),
  );
  const keyOf = ({ name, version }) => `${name}@${version}`;
  return packages.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** The text of THIRD-PARTY-NOTICES.txt; packages with the same licence text share one copy of it. */
export function noticesOf(packages) {
  const sharing = new Map();
  for (const one of packages) sharing.set(one.text, [...(sharing.get(one.text) ?? []), one]);
  const sections = [...sharing].map(([text, group]) =>
    [group.map(({ name, version, license }) => `${name} ${version} (${license})`).join("\n"), text].join(
      "\n\n",
    ),
  );
  return ["The Analytics Server contains code of these packages.", ...sections].join(
    `\n\n${"-".repeat(80)}\n\n`,
  );
}
