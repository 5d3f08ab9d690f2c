let latest = 0;

/** An array of one number reads as this number. */
function randomDigit(): string {
  return (Number(crypto.getRandomValues(new Uint8Array(1))) & 15).toString(16);
}

/**
 * A UUID of version 7: its first 48 bits are the time, so that ids sort as they were made. Two of the same millisecond
 * would not: the second takes the next one. `crypto.randomUUID` is missing from pages that came without TLS.
 */
export function uuid(): string {
  latest = Math.max(Date.now(), latest + 1);
  // It has eleven digits until the year 2527.
  const time = `0${latest.toString(16)}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7xxx-axxx-xxxxxxxxxxxx`.replace(/x/g, randomDigit);
}
