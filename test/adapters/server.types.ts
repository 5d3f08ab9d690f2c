// Checked by `npm run types`: the published type declarations match the source.
import type * as declared from "../../adapters/declarations/server.d.ts";
import type * as source from "../../adapters/server.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export const same: [
  Same<typeof declared.mountAnalytics, typeof source.mountAnalytics>,
  Same<typeof declared.startServer, typeof source.startServer>,
] = [true, true];
