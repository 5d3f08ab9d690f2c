import { eventsTable, rowOf } from "./events-table.ts";
import { listen } from "./listen.ts";

// The naive implementation: one insert per request, which means one commit and one fsync per request.
const { insert } = await eventsTable(process.argv[2] ?? "");

listen((body, done) => {
  insert.run(...rowOf(body.toString(), Date.now()));
  done();
});
