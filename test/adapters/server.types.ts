// Checked by `npm run types` alone: what is declared to those who import the package is what the source says.
import type * as declared from "../../adapters/declarations/server.d.ts";
import type * as source from "../../adapters/server.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export const same: [
  Same<typeof declared.mountAnalytics, typeof source.mountAnalytics>,
  Same<typeof declared.startServer, typeof source.startServer>,
] = [true, true];
