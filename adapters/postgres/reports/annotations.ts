import type { Annotation } from "../../../domain/reports/annotation.ts";
import type { AnnotationStore } from "../../../domain/storage.ts";
import type { Database } from "../database.ts";

const INSERT = `
  insert into annotations(annotation_id, at, text) values ($1, $2, $3) on conflict (annotation_id) do nothing`;

const SELECT = `
  select annotation_id, at, text from annotations where at >= $1 and at < $2
  order by at desc, annotation_id collate "C" desc limit $3`;

const DELETE = "delete from annotations where annotation_id = $1 returning annotation_id";

/** Stores annotations. */
export const createAnnotationStore = ({ query, transaction }: Database): AnnotationStore => ({
  async addAnnotation({ annotation_id, at, text }) {
    await query(INSERT, [annotation_id, at, text]);
  },
  listAnnotations: ({ from, to, limit }) => query<Annotation>(SELECT, [from, to, limit]),
  deleteAnnotation: (id) => transaction(async (inside) => (await inside(DELETE, [id])).length > 0),
});
