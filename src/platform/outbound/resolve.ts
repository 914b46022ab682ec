import type { LookupAddress } from "node:dns";

/** All addresses of a name. */
export type Resolve = (
  hostname: string,
  callback: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void;
