import { eventsTable, rowOf } from "./events-table.ts";
import { listen } from "./listen.ts";

// What is written first by everybody: an insert in each request, which is a commit and an fsync in each request.
const { insert } = await eventsTable(process.argv[2] ?? "");

listen((body, done) => {
  insert.run(...rowOf(body.toString(), Date.now()));
  done();
});
