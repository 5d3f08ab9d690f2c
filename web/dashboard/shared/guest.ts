import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SharedAnswer } from "../../../domain/shares/shared-page.ts";

/** The shared page that a guest without a key is looking at. Everywhere else it is undefined. */
export const Guest = createContext<SharedAnswer | undefined>(undefined);

export const useGuest = (): SharedAnswer | undefined => useContext(Guest);
