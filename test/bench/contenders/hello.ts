import { listen } from "./listen.ts";

// Reads the body and stores nothing: what HTTP alone costs.
listen((_body, done) => done());
