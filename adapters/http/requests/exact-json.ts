// JSON.parse rounds 9007199254740993 to 9007199254740992 without a word. A number that it cannot keep is read as infinite
// instead, as it reads 1e400: every schema refuses that in its place, so that one item of a batch is refused alone.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;

/** Digits of 2^53 − 1, the last integer before which no double is missing. */
const MAX_SAFE_DIGITS = 16;

// The lookbehind lets a run of digits be looked at once, not once for each of its digits.
const LONG_NUMBER = /(?<!\d)\d{16}/;

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;

/** The place after the closing quote of a string. `from` is the place after its opening quote. */
function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

const NUMBER = /[\d.eE+-]*/y;

/** The number that begins at this place. */
function numberAt(text: string, at: number): string {
  NUMBER.lastIndex = at;
  return NUMBER.exec(text)?.[0] ?? "";
}

/** Whether digits are an integer that a double may round. 1e20 and 2.5 are not integers in this sense. */
const isRounded = (number: string): boolean =>
  number.length >= MAX_SAFE_DIGITS &&
  /^[1-9]\d*$/.test(number) &&
  (number.length > MAX_SAFE_DIGITS || Number(number) > Number.MAX_SAFE_INTEGER);

/** The text with an infinite number in place of each integer that a double may round. One pass, for any text. */
function withoutRoundedIntegers(text: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at + 1);
    } else if (isDigit(code)) {
      const number = numberAt(text, at);
      if (isRounded(number)) {
        pieces.push(text.slice(copied, at), "1e999");
        copied = at + number.length;
      }
      at += number.length;
    } else {
      at += 1;
    }
  }
  return pieces.length === 0 ? text : pieces.join("") + text.slice(copied);
}

/**
 * Parses JSON, and makes an integer beyond 2^53 − 1 either side infinite. Throws a SyntaxError where the text is no JSON.
 *
 * @example parseExactly('[9007199254740991, 9007199254740993]') // [9007199254740991, Infinity]
 */
export const parseExactly = (text: string): unknown =>
  JSON.parse(LONG_NUMBER.test(text) ? withoutRoundedIntegers(text) : text);
