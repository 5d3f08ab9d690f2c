import type { ShareLink } from "../../domain/shares/share-link.ts";
import { SharedPage } from "../../domain/shares/shared-page.ts";
import type { ShareStore } from "../../domain/storage.ts";
import type { Database } from "./database.ts";

const COLUMNS = "share_id, digest, page, name, created_at, expires_at";

const INSERT = `insert into shares(${COLUMNS}) values ($1, $2, $3, $4, $5, $6) on conflict (share_id) do nothing`;

const FIND = `select ${COLUMNS} from shares where digest = $1`;

const SELECT = `
  select ${COLUMNS} from shares where (created_at, share_id collate "C") < ($1, $2)
  order by created_at desc, share_id collate "C" desc limit $3`;

const DELETE = "delete from shares where share_id = $1 returning share_id";

type Row = Omit<ShareLink, "page"> & { readonly page: string };

const linkOf = ({ page, ...rest }: Row): ShareLink => ({ ...rest, page: SharedPage.parse(JSON.parse(page)) });

/** Stores share links. */
export const createShareStore = ({ query, transaction }: Database): ShareStore => ({
  async addShare({ share_id, digest, page, name, created_at, expires_at }) {
    await query(INSERT, [share_id, digest, JSON.stringify(page), name, created_at, expires_at]);
  },
  async findShare(digest) {
    const [row] = await query<Row>(FIND, [digest]);
    return row && linkOf(row);
  },
  async listShares({
    limit,
    before: { created_at, share_id } = { created_at: Number.MAX_SAFE_INTEGER, share_id: "" },
  }) {
    return (await query<Row>(SELECT, [created_at, share_id, limit])).map(linkOf);
  },
  deleteShare: (id) => transaction(async (inside) => (await inside(DELETE, [id])).length > 0),
});
