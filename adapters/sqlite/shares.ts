import type { Database } from "better-sqlite3";
import type { ShareLink } from "../../domain/shares/share-link.ts";
import { SharedPage } from "../../domain/shares/shared-page.ts";
import type { ShareStore } from "../../domain/storage.ts";
import type { Instant } from "../../domain/time.ts";
import { reading } from "./failures.ts";
import type { Writer } from "./writer.ts";

const COLUMNS = "share_id, digest, page, name, created_at, expires_at";

type Row = Omit<ShareLink, "page"> & { readonly page: string };

const linkOf = ({ page, ...rest }: Row): ShareLink => ({ ...rest, page: SharedPage.parse(JSON.parse(page)) });

/** Stores share links. */
export function createShareStore(db: Database, writer: Writer): ShareStore {
  const insert = db.prepare<[Row]>(
    `insert into shares(${COLUMNS}) values (@share_id, @digest, @page, @name, @created_at, @expires_at)`,
  );
  const find = db.prepare<[string], Row>(`select ${COLUMNS} from shares where digest = ?`);
  const select = db.prepare<[Instant, string, number], Row>(
    `select ${COLUMNS} from shares where (created_at, share_id) < (?, ?)
     order by created_at desc, share_id desc limit ?`,
  );
  const remove = db.prepare<[string]>("delete from shares where share_id = ?");
  return {
    addShare: (share) =>
      writer.write(1, () => {
        insert.run({ ...share, page: JSON.stringify(share.page) });
      }),
    findShare: (digest) =>
      reading(() => {
        const row = find.get(digest);
        return row && linkOf(row);
      }),
    listShares: ({
      limit,
      before: { created_at, share_id } = { created_at: Number.MAX_SAFE_INTEGER, share_id: "" },
    }) => reading(() => select.all(created_at, share_id, limit).map(linkOf)),
    deleteShare: (id) => writer.write(1, () => remove.run(id).changes > 0),
  };
}
