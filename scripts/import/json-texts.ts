import { Refused } from "../commands/command.ts";

/** The longest row that is read. A file with a longer one is no export of events. */
export const MAX_ROW_CHARACTERS = 16 * 1024 * 1024;

function checkLength(text: string): void {
  if (text.length <= MAX_ROW_CHARACTERS) return;
  throw new Refused(
    `A row of the file has more than ${MAX_ROW_CHARACTERS} characters: it is no export of events.`,
  );
}

/** The lines of a text that comes in chunks, without blank ones. */
export async function* jsonLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let held = "";
  for await (const chunk of chunks) {
    const [end = "", ...lines] = chunk.split("\n");
    held += end;
    for (const line of lines) {
      if (held.trim() !== "") yield held;
      held = line;
    }
    checkLength(held);
  }
  if (held.trim() !== "") yield held;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPENING = new Set([91, 123]);
const CLOSING = new Set([93, 125]);

/** Follows the text of a JSON array, and says which characters are between its elements: its brackets and commas. */
function boundaries(): (code: number) => boolean {
  let depth = 0;
  let isString = false;
  let isEscaped = false;

  function withinString(code: number): void {
    if (isEscaped) isEscaped = false;
    else if (code === BACKSLASH) isEscaped = true;
    else if (code === QUOTE) isString = false;
  }

  return (code) => {
    if (isString) {
      withinString(code);
      return false;
    }
    isString = code === QUOTE;
    if (OPENING.has(code)) return ++depth === 1;
    if (CLOSING.has(code)) return --depth === 0;
    return code === COMMA && depth === 1;
  };
}

/** The elements of a JSON array that comes in chunks, each as its text. An array that is cut off ends with a part of one. */
export async function* arrayElements(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  const isBoundary = boundaries();
  let held = "";
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (!isBoundary(chunk.charCodeAt(at))) continue;
      const element = held + chunk.slice(from, at);
      held = "";
      from = at + 1;
      if (element.trim() !== "") yield element;
    }
    held += chunk.slice(from);
    checkLength(held);
  }
  if (held.trim() !== "") yield held;
}
