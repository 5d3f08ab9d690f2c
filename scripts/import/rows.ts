import { open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { type Fields, fieldsOf } from "../../handlers/compatible/intake.ts";
import { Refused } from "../commands/command.ts";
import { arrayElements, jsonLines, MAX_ROW_CHARACTERS } from "./json-texts.ts";

/** A row of an export, or why it cannot be read. */
export type Row = { readonly fields: Fields } | { readonly fault: string };

/** An export that is being read. It is never in memory as a whole. */
export interface ExportFile {
  readonly bytes: number;
  readonly bytesRead: () => number;
  readonly rows: AsyncIterable<Row>;
}

const ARCHIVE = "PK";
const GZIP = Buffer.from([0x1f, 0x8b]);

/** Opens a file of CSV with a header, lines of JSON, or one JSON array, each of them also compressed with gzip. */
export async function openExport(path: string): Promise<ExportFile> {
  const handle = await open(path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.toString("latin1") === ARCHIVE) {
    await handle.close();
    throw new Refused(`${path} is an archive: unpack it, and name the files in it.`);
  }
  const { size: bytes } = await handle.stat();
  const file = handle.createReadStream({ start: 0 });
  // The reader of the text learns of errors of the file: both streams end with them.
  const text = head.equals(GZIP) ? pipeline(file, createGunzip(), () => {}) : file;
  return { bytes, bytesRead: () => file.bytesRead, rows: rowsOf(text.setEncoding("utf8")) };
}

async function* rowsOf(text: AsyncIterable<string>): AsyncGenerator<Row> {
  const chunks = text[Symbol.asyncIterator]();
  try {
    const first = await beginningOf(chunks);
    const whole = continued(first, chunks);
    const start = first.trimStart()[0];
    if (start === "[") yield* parsed(arrayElements(whole));
    else if (start === "{") yield* parsed(jsonLines(whole));
    else if (start !== undefined) yield* records(whole);
  } finally {
    // Closes the file, also where a row was refused.
    await chunks.return?.();
  }
}

/** The text up to the first chunk that is not blank. */
async function beginningOf(chunks: AsyncIterator<string>): Promise<string> {
  let first = "";
  while (first.trim() === "") {
    const { value, done } = await chunks.next();
    if (done) break;
    first += value;
  }
  return first.replace(/^\ufeff/, "");
}

async function* continued(first: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* parsed(texts: AsyncIterable<string>): AsyncGenerator<Row> {
  for await (const text of texts) {
    try {
      yield { fields: fieldsOf(JSON.parse(text)) };
    } catch {
      yield { fault: "is not valid JSON" };
    }
  }
}

async function* records(text: AsyncIterable<string>): AsyncGenerator<Row> {
  const parser = parse({
    columns: true,
    // Rows with fewer or more values than the header keep those that have a name.
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_CHARACTERS,
  });
  for await (const record of pipeline(Readable.from(text), parser, () => {})) {
    yield { fields: fieldsOf(record) };
  }
}
