/**
 * What was measured, and nothing that follows from it: the capacity model, docs/scaling.md and the sizing of docs/operations.md are made of these
 * figures, and `test/unit/bench/capacity.test.ts` holds them together.
 */
export const figures = {
  /** `npm run bench -- --json <file>`; CPU of one request in milliseconds. */
  bench: {
    date: "2026-11-24",
    machine: "two cores of an AMD EPYC, shared with the load generator, nothing else running",
    cores: 2,
    argon2: "m=65536,t=1,p=1",
    /** Scenario `growth`, server and database, the prebuilt hashing library on all cores. */
    login: { perSecond: 69.8, serverAndDatabase: 27.3 },
    /** Scenario `growth`, and the server's part from `refresh`. */
    refresh: { perSecond: 1914, serverAndDatabase: 0.87, server: 0.52 },
    me: { server: 0.2 },
    managementRead: { server: 0.19 },
    keySet: { server: 0.014 },
    /** One login, eight refreshes, two profiles and four key sets, on average. */
    mix: { server: 2.135 },
  },
  /** One hash of 64 MiB, milliseconds of a core. */
  hash: {
    alone: { prebuilt: 16, native: 10 },
    /** How many times as many hashes the native kernel does beside the prebuilt library, on busy cores: the smallest of several runs. */
    nativeGain: 1.6,
  },
  /** How the milliseconds above divide between processes, by the proportions `npm run capacity:measure` found. */
  split: {
    login: { http: 1.5, hashing: 24.8, database: 1 },
    refresh: { http: 0.52, database: 0.35 },
    me: { http: 0.2, database: 0.1 },
    managementRead: { http: 0.08, management: 0.11, database: 0.1 },
    keySet: { http: 0.014 },
  },
  /** Resident megabytes under load, from the scenario `footprint`; a hashing worker's without what its hashes take. */
  processMegabytes: { http: 140, management: 140, hashing: 100, jobs: 130 },
  /** `npm run capacity:measure`; a request of each kind by another account from another address, default limits. */
  stores: {
    date: "2026-11-29",
    accounts: 20_000,
    requests: 2_000,
    /** Write transactions, rows, kilobytes of write-ahead log between checkpoints, and Redis requests. */
    operations: {
      login: { writes: 1, rows: 3, walKilobytes: 4.1, redisCalls: 3 },
      refresh: { writes: 1, rows: 1, walKilobytes: 1.1, redisCalls: 1 },
      me: { writes: 0, rows: 0, walKilobytes: 0, redisCalls: 1 },
      managementRead: { writes: 0, rows: 0, walKilobytes: 0, redisCalls: 0 },
      keySet: { writes: 0, rows: 0, walKilobytes: 0, redisCalls: 0 },
    },
    /** Bytes of one row: alone, and with its share of the indexes. */
    rows: {
      users: { bytes: 123, withIndexes: 715 },
      user_passwords: { bytes: 171, withIndexes: 203 },
      refresh_sessions: { bytes: 397, withIndexes: 743 },
      session_events: { bytes: 342, withIndexes: 467 },
      audit_log: { bytes: 360, withIndexes: 528 },
    },
    redis: {
      /** What `used_memory` grew by for each byte `MEMORY USAGE` says of a key: the tables of keys and of their ends. */
      overhead: 1.5,
      /** Keys one request leaves behind, `MEMORY USAGE` of each, and the seconds they live. */
      keys: {
        login: [
          { key: "limit by address", keys: 1, bytes: 168, seconds: 3_600 },
          { key: "limits by identifier and by account", keys: 2, bytes: 184, seconds: 3_600 },
        ],
        refresh: [{ key: "limit by address", keys: 1, bytes: 152, seconds: 61 }],
        me: [{ key: "limit by address", keys: 1, bytes: 152, seconds: 61 }],
        registration: [{ key: "limits by address and by identifier", keys: 2, bytes: 160, seconds: 3_600 }],
        code: [
          { key: "limits by address and by identifier", keys: 2, bytes: 176, seconds: 3_600 },
          { key: "the code", keys: 1, bytes: 520, seconds: 600 },
          { key: "the link's token", keys: 1, bytes: 248, seconds: 600 },
          { key: "that the message is sent", keys: 1, bytes: 120, seconds: 660 },
        ],
        passkey: [
          { key: "limit by address", keys: 1, bytes: 168, seconds: 3_600 },
          { key: "challenge", keys: 1, bytes: 152, seconds: 600 },
        ],
      },
    },
  },
} as const;
