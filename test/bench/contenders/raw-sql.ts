import Sqlite from "better-sqlite3";

// Answers questions of SQL over a file, one after another, and says how many milliseconds each took.
const [path = ""] = process.argv.slice(2);
const db = new Sqlite(path, { readonly: true });
db.pragma("cache_size = -64000");
db.pragma("mmap_size = 1073741824");

process.on("message", ({ sql, values }: { sql: string; values: (string | number)[] }) => {
  const startedAt = performance.now();
  db.prepare(sql).all(...values);
  process.send?.(performance.now() - startedAt);
});
process.send?.("ready");
