// Half of a surrogate pair, which JSON can write and UTF-8 cannot: a name with one is kept as its bytes in UTF-16, for as text
// several names would be read back as one.

export const nameToSql = (name: string): string | Uint8Array =>
  name.isWellFormed() ? name : Buffer.from(name, "utf16le");

export const nameFromSql = (name: string | Uint8Array): string =>
  typeof name === "string" ? name : Buffer.from(name).toString("utf16le");
