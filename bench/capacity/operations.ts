/** Where work is done, and queues. */
export const stations = ["http", "management", "hashing", "database"] as const;
export type Station = (typeof stations)[number];

/** CPU milliseconds one operation takes of each station, and what it asks of the stores. */
export interface Operation {
  readonly cpu: Readonly<Partial<Record<Station, number>>>;
  /** Transactions that write. */
  readonly writes: number;
  readonly redisCalls: number;
}

/** Fitted to the figures of docs/performance.md: two cores of an AMD EPYC, Argon2id of 64 MiB in one pass. */
export const operations = {
  login: { cpu: { http: 1.6, hashing: 22, database: 0.5 }, writes: 1, redisCalls: 1 },
  refresh: { cpu: { http: 0.5, database: 0.25 }, writes: 1, redisCalls: 1 },
  me: { cpu: { http: 0.2, database: 0.1 }, writes: 0, redisCalls: 1 },
  managementRead: { cpu: { http: 0.08, management: 0.12, database: 0.1 }, writes: 0, redisCalls: 1 },
  keySet: { cpu: { http: 0.015 }, writes: 0, redisCalls: 0 },
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
