import { listen } from "./listen.ts";

// Reads the body and stores nothing, to measure the cost of HTTP alone.
listen((_body, done) => done());
