/**
 * A UUID of version 7: its first 48 bits are a time in milliseconds, so that ids sort by time. `crypto.randomUUID` is
 * missing from pages without TLS, and makes no such ids. Ids are not secrets, so that `Math.random` is good enough.
 */
export function uuid(time = Date.now()): string {
  // Hexadecimal milliseconds have eleven digits until the year 2527.
  return time
    .toString(16)
    .padStart(12, "0")
    .replace(/....$/, "-$&-7xxx-axxx-xxxxxxxxxxxx")
    .replace(/x/g, () => ((16 * Math.random()) | 0).toString(16));
}
