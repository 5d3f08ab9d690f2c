import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";

const END_OF_DIRECTORY = 0x06054b50;
const END_LENGTH = 22;
const STORED = 0;

interface Entry {
  readonly name: string;
  readonly contents: Buffer;
}

/** Field offsets of PKWARE's APPNOTE, sections 4.3.12 and 4.3.7, for archives without encryption and ZIP64. */
function entryAt(archive: Buffer, at: number): Entry & { readonly next: number } {
  const method = archive.readUInt16LE(at + 10);
  const compressed = archive.readUInt32LE(at + 20);
  const [name, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ];
  const local = archive.readUInt32LE(at + 42);
  const from = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const data = archive.subarray(from, from + compressed);
  return {
    name: archive.toString("utf8", at + 46, at + 46 + name),
    contents: method === STORED ? data : inflateRawSync(data),
    next: at + 46 + name + extra + comment,
  };
}

/** Unpacks a zip archive into a folder, and returns the names of its files. */
export function unzip(file: string, folder: string): string[] {
  const archive = readFileSync(file);
  const end = archive.length - END_LENGTH;
  if (archive.readUInt32LE(end) !== END_OF_DIRECTORY)
    throw new Error(`${file} is not a zip archive, or has a comment.`);
  let at = archive.readUInt32LE(end + 16);
  return Array.from({ length: archive.readUInt16LE(end + 10) }, () => {
    const { name, contents, next } = entryAt(archive, at);
    at = next;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
    return name;
  });
}
