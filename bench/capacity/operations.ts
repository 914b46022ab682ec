import { figures } from "./figures.ts";

/** Where work is done, and queues. */
export const stations = ["http", "management", "hashing", "database"] as const;
export type Station = (typeof stations)[number];

/** CPU milliseconds one operation takes of each station, and what it asks of the stores. */
export interface Operation {
  readonly cpu: Readonly<Partial<Record<Station, number>>>;
  /** Transactions that write. */
  readonly writes: number;
  readonly rows: number;
  /** Of write-ahead log. */
  readonly walKilobytes: number;
  readonly redisCalls: number;
}

const { split, stores } = figures;

/**
 * The measured operations. Hashes are the prebuilt library's, which runs everywhere; with the native kernel the same cores do `nativeGain` times
 * as many.
 */
export const operations = {
  login: { cpu: split.login, ...stores.operations.login },
  refresh: { cpu: split.refresh, ...stores.operations.refresh },
  me: { cpu: split.me, ...stores.operations.me },
  managementRead: { cpu: split.managementRead, ...stores.operations.managementRead },
  keySet: { cpu: split.keySet, ...stores.operations.keySet },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof operations;

/** Operations a second, by name. */
export type Load = Readonly<Partial<Record<OperationName, number>>>;

/** The mix of a site whose people stay signed in: one login, eight refreshes, two profiles, four key sets. */
export function typicalLoad(loginsPerSecond: number): Load {
  return {
    login: loginsPerSecond,
    refresh: 8 * loginsPerSecond,
    me: 2 * loginsPerSecond,
    keySet: 4 * loginsPerSecond,
  };
}

export function entriesOf(load: Load): readonly (readonly [Operation, number])[] {
  const rates: Readonly<Record<string, number>> = load;
  return Object.entries(operations).map(([name, operation]) => [operation, rates[name] ?? 0] as const);
}
