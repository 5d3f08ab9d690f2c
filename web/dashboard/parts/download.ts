const MINUTE_MS = 60_000;

/** Saves content as a file of this name. */
export function download(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  // Some browsers read the address after this turn of the event loop.
  setTimeout(() => URL.revokeObjectURL(url), MINUTE_MS);
}
