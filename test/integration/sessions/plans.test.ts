import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { revocationStore } from "../../../src/core/sessions/revocation-store.ts";
import { sessionStore } from "../../../src/core/sessions/store.ts";
import type { Queryable, Statement } from "../../../src/platform/postgres/port.ts";
import { type Fixture, openFixture } from "../users/fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly Plan[];
}

/** Keeps the statement instead of running it. */
function catching(caught: { statement: Statement; parameters: number }[]): Queryable {
  const keep = (statement: Statement, values: readonly unknown[] = []) =>
    void caught.push({ statement, parameters: values.length });
  return {
    rows: async (statement, values) => {
      keep(statement, values);
      return [];
    },
    row: async (statement, values) => {
      keep(statement, values);
      return undefined;
    },
    run: async (statement, values) => {
      keep(statement, values);
      return 0;
    },
  };
}

async function statements(): Promise<{ statement: Statement; parameters: number }[]> {
  const caught: { statement: Statement; parameters: number }[] = [];
  const on = catching(caught);
  const at = new Date(0);
  const bytes = Buffer.alloc(32);
  await sessionStore.subject(on, "u", []);
  await sessionStore.open(on, { userId: "u", version: "1" }, "i", {
    id: "s",
    familyId: "f",
    tokenHash: bytes,
    at,
    expiresAt: null,
    userAgent: null,
    ip: null,
    methods: [],
    origin: "registration",
    others: 2,
  });
  await sessionStore.byCurrent(on, bytes, "i", [], at);
  await sessionStore.byPrevious(on, bytes, "i", []);
  await sessionStore.rotate(
    on,
    { id: "s", userId: "u" },
    bytes,
    { hash: bytes, sealed: null },
    { at, userAgent: null, ip: null },
  );
  await sessionStore.live(on, "u", "i", at);
  await sessionStore.prove(on, { id: "s", userId: "u", issuer: "i" }, at, []);
  await revocationStore.one(on, at, "logout", "s", "u", "i");
  await revocationStore.all(on, at, "logout", "u", "i", null);
  await revocationStore.family(on, at, "logout", "f", "u");
  return caught;
}

function nodes(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)];
}

describe("plans of the session statements", () => {
  it("look rows up by key even on tables nobody has analysed, where generic plans are made first", async () => {
    await f.query("SET plan_cache_mode = force_generic_plan");
    const caught = await statements();
    expect(caught).toHaveLength(10);
    for (const [n, { statement, parameters }] of caught.entries()) {
      await f.query(`PREPARE statement_${n} AS ${statement.text(f.config.database.schema)}`);
      const nulls = Array.from({ length: parameters }, () => "NULL").join(", ");
      const rows = await f.query<{ "QUERY PLAN": readonly { readonly Plan: Plan }[] }>(
        `EXPLAIN (FORMAT JSON) EXECUTE statement_${n} (${nulls})`,
      );
      const plan = rows[0]?.["QUERY PLAN"][0]?.Plan;
      if (plan === undefined) throw new Error("no plan");
      const scans = nodes(plan).filter(
        (node) =>
          /Scan/.test(node["Node Type"]) && /^(refresh_sessions|users)$/.test(node["Relation Name"] ?? ""),
      );
      expect(scans.length, statement.name).toBeGreaterThan(0);
      for (const scan of scans) {
        expect(`${statement.name}: ${scan["Node Type"]}`).toMatch(/: (Index|Bitmap Heap|Index Only) Scan$/);
        if (scan["Node Type"] === "Index Scan")
          expect(scan["Index Cond"], `${statement.name} ${scan["Index Name"]}`).toBeDefined();
      }
    }
  });
});
