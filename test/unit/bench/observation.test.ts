import { describe, expect, it } from "vitest";
import { measuredBetween, type OpenLoad, percentile } from "../../../bench/arrivals.ts";
import { linkToken } from "../../../bench/mailbox.ts";
import { bottleneck } from "../../../bench/observation/bottleneck.ts";
import { type CpuUse, cpuUse } from "../../../bench/observation/cpu.ts";
import { poolWaits, waitsBetween } from "../../../bench/observation/pool-waits.ts";
import { statementName } from "../../../bench/observation/statements.ts";

const noWaits = { count: 0, meanMs: 0, p99Ms: 0 };

describe("what limits a measurement", () => {
  const cpu = (use: Partial<CpuUse>): CpuUse => ({
    ...{ cores: 2, busy: 1, byKind: [["http", 0.4]], busiest: ["http:0", 0.2] },
    ...use,
  });
  const named = (use: Partial<CpuUse>, more: { waits?: number; paced?: boolean } = {}): string =>
    bottleneck({
      ...{ cpu: cpu(use), answers: 100, paced: more.paced === true },
      waits: { ...noWaits, count: more.waits ?? 0 },
    });

  it("is the machine when all of its cores are busy, with the share of the busiest kind", () => {
    const byKind = [
      ["hashing", 1.5],
      ["http", 0.4],
    ] as const;
    expect(named({ busy: 1.95, byKind })).toBe("all 2 cores, 75 % of them hashing");
    expect(named({ busy: 2, byKind: [["hashing", 0.9]] })).toBe(
      "all 2 cores, 45 % of them hashing; 1.1 cores went to what is not of the bench",
    );
  });

  it("is one process, the pool, or none of them", () => {
    expect(named({ busiest: ["management:0", 0.95] })).toBe("one core, filled by management:0");
    expect(named({}, { waits: 30 })).toBe("connections of the database pool");
    expect(named({}, { waits: 20 })).toBe(
      "no core is full (http has 0.40): waiting for round trips and commits",
    );
    expect(named({ busy: 1.95 }, { paced: true })).toBe("nothing: a fixed rate below capacity");
  });

  it("is read from what the kernel counted in between", () => {
    const before = { at: 1_000, machine: 50, byProcess: new Map([["http:0", 1]]) };
    const after = {
      ...{ at: 3_000, machine: 53 },
      byProcess: new Map([
        ["http:0", 2],
        ["http:1", 0.5],
        ["postgres", 1.5],
      ]),
    };
    const use = cpuUse(before, after);
    expect(use.busy).toBe(1.5);
    expect(use.byKind).toEqual([
      ["http", 0.75],
      ["postgres", 0.75],
    ]);
    expect(use.busiest).toEqual(["http:0", 0.5]);
  });
});

describe("waits for a connection", () => {
  const text = (few: number, many: number): string => `# HELP authkit_db_pool_wait_seconds x
authkit_db_pool_wait_seconds_bucket{le="0.001",worker="http-0"} ${few}
authkit_db_pool_wait_seconds_bucket{le="0.01",worker="http-0"} ${many}
authkit_db_pool_wait_seconds_bucket{le="+Inf",worker="http-0"} ${many}
authkit_db_pool_wait_seconds_sum{worker="http-0"} ${many / 500}
authkit_db_pool_wait_seconds_count{worker="http-0"} ${many}
authkit_db_pool_wait_seconds_count{worker="http-1"} 0
authkit_database_connections{state="total"} 10
`;

  it("are those between two readings", () => {
    const waits = waitsBetween(poolWaits(text(5, 10)), poolWaits(text(85, 110)));
    expect(waits).toMatchObject({ count: 100, p99Ms: 10 });
    expect(waits.meanMs).toBeCloseTo(2, 6);
    expect(waitsBetween(poolWaits(text(5, 10)), poolWaits(text(5, 10)))).toEqual(noWaits);
    expect(waitsBetween(poolWaits(""), poolWaits(""))).toEqual(noWaits);
  });
});

describe("names of statements", () => {
  it("stand behind them", () => {
    expect(statementName('SELECT 1 FROM "authkit".users\n/* users.byId */')).toBe("users.byId");
  });

  it("are short ones for the job queue, and the first words of what has none", () => {
    expect(statementName("WITH x AS (SELECT id FROM authkit_jobs.job FOR UPDATE SKIP LOCKED)")).toBe(
      "jobs: fetch",
    );
    expect(statementName("UPDATE x SET state = 'completed'\n/* queue.0123456789abcdef */")).toBe(
      "jobs: complete",
    );
    expect(statementName("INSERT INTO authkit_jobs.job_common (id)")).toBe("jobs: enqueue");
    expect(statementName("COMMIT")).toBe("COMMIT");
    expect(statementName("SELECT  a,\n b FROM somewhere_that_is_far_away WHERE c")).toBe(
      "SELECT a, b FROM somewhere_that_is_far_a",
    );
  });
});

describe("an open load", () => {
  const arrival = (at: number, took: number, status: number) => ({
    ...{ at, took, status },
    retryAfter: undefined,
  });
  const load: OpenLoad = {
    cpuMicros: 7,
    arrivals: [
      arrival(100, 900, 200),
      arrival(1_000, 10, 200),
      arrival(1_500, 30, 201),
      arrival(1_900, 1, 503),
      arrival(1_950, 20_000, 0),
      arrival(3_000, 5, 200),
    ],
  };

  it("is measured by when requests were due, the accepted apart from the others", () => {
    expect(measuredBetween(load, 1, 3)).toEqual({
      ...{ answers: 3, rate: 1, p50: 30, p99: 30, errors: 1, refused: 1, cpuMicros: 7 },
    });
  });

  it("has no time where nothing was accepted", () => {
    expect(measuredBetween(load, 4, 5)).toMatchObject({ rate: 0, p50: 0, p99: 0 });
    expect(percentile([], 0.99)).toBe(0);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
  });
});

describe("the link of a mail", () => {
  it("is found in quoted-printable text, over broken lines", () => {
    const mail =
      "Sign in:\r\nhttps://app.example.com/passwordless?channel=3Demail&tok=\r\nen=3Dabc_-123=\r\n45\r\n";
    expect(linkToken(mail)).toBe("abc_-12345");
    expect(linkToken("no link")).toBeUndefined();
  });
});
