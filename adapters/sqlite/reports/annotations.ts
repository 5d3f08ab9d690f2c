import type { Database } from "better-sqlite3";
import type { Annotation } from "../../../domain/reports/annotation.ts";
import type { AnnotationStore } from "../../../domain/storage.ts";
import type { Instant } from "../../../domain/time.ts";
import { reading } from "../failures.ts";
import type { Writer } from "../writer.ts";

/** Stores annotations. */
export function createAnnotationStore(db: Database, writer: Writer): AnnotationStore {
  const insert = db.prepare<[string, Instant, string]>(
    "insert into annotations(annotation_id, at, text) values (?, ?, ?)",
  );
  const select = db.prepare<[Instant, Instant, number], Annotation>(
    `select annotation_id, at, text from annotations where at >= ? and at < ?
     order by at desc, annotation_id desc limit ?`,
  );
  const remove = db.prepare<[string]>("delete from annotations where annotation_id = ?");
  return {
    addAnnotation: ({ annotation_id, at, text }) =>
      writer.write(1, () => {
        insert.run(annotation_id, at, text);
      }),
    listAnnotations: ({ from, to, limit }) => reading(() => select.all(from, to, limit)),
    deleteAnnotation: (id) => writer.write(1, () => remove.run(id).changes > 0),
  };
}
