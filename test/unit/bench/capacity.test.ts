import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { figures } from "../../../bench/capacity/figures.ts";
import { demandOf, deploymentOf, storageOf, targetUtilisation } from "../../../bench/capacity/model.ts";
import { entriesOf, stations, typicalLoad } from "../../../bench/capacity/operations.ts";
import { simulate } from "../../../bench/capacity/simulation.ts";
import {
  capacityTable,
  documentedLoads,
  keyTable,
  operationTable,
  requestsPerLogin,
  rowTable,
  size,
  sizingTable,
} from "../../../bench/capacity/table.ts";

const seed = 7;
const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8").replaceAll(/\s+/g, " ");
const inOneLine = (table: string): string => table.replaceAll(/\s+/g, " ");
const scaling = page("scaling.md");
const operating = page("operations.md");

describe("the pages", () => {
  it.each<[string, string, string]>([
    ["scaling.md", "what requests take", operationTable()],
    ["scaling.md", "what loads need", capacityTable(documentedLoads)],
    ["scaling.md", "rows", rowTable()],
    ["scaling.md", "keys", keyTable()],
    ["operations.md", "what a core does", sizingTable()],
  ])("%s has the table of %s that `npm run capacity` prints", (name, _, table) => {
    expect(page(name)).toContain(inOneLine(table));
  });

  it("say in words what follows from the figures", () => {
    const million = storageOf({ accounts: 1e6, sessionsEach: 2, loginsPerSecond: 0, historyDays: 0 });
    const login = storageOf({ accounts: 0, sessionsEach: 0, loginsPerSecond: 1, historyDays: 365 });
    const { hash, bench, stores, processMegabytes } = figures;
    expect(scaling).toContain(`(alone, one takes ${hash.alone.prebuilt} ms)`);
    expect(scaling).toContain(`The native kernel does at least ${hash.nativeGain} times as many.`);
    expect(scaling).toContain(`hashes of ${/m=(\d+)/.exec(bench.argon2)?.[1] === "65536" ? 64 : "?"} MiB`);
    const thousands = (count: number): string => `${Math.round(count / 1000)} 000`;
    const { accounts, requests } = stores;
    expect(scaling).toContain(
      `Measured on ${thousands(accounts)} accounts with a password, after ${thousands(2 * requests)} sign-ins and refreshes`,
    );
    expect(scaling).toContain(`two sessions each take ${size(million.accounts + million.sessions)}.`);
    expect(scaling).toContain(`a login a second is ${size(login.history)} a year`);
    expect(scaling).toContain(`A login a second is ${size(demandOf({ login: 1 }).redisBytes)} when each`);
    const walBytes = (rate: number): number =>
      entriesOf(typicalLoad(rate)).reduce((sum, [one, each]) => sum + one.walKilobytes * each * 1000, 0);
    expect(scaling).toContain(`${size(walBytes(1_000))} a second of write-ahead log`);
    const most = demandOf(typicalLoad(100)).redisBytes;
    expect(operating).toContain(
      `${size(most / 100)} for each login a second at the most: ${size(most)} at 100`,
    );
    expect(operating).toContain(`${processMegabytes.http} MB an http or management worker under load`);
    expect(operating).toContain(
      `${processMegabytes.hashing} MB plus the hash memory (64 MB) a hashing worker`,
    );
    expect(processMegabytes.management).toBe(processMegabytes.http);
  });
});

describe("the capacity model", () => {
  it("divides what the bench measured, and nothing more or less", () => {
    const { split, bench } = figures;
    const { login, refresh, me, managementRead, keySet } = split;
    expect(login.http + login.hashing + login.database).toBeCloseTo(bench.login.serverAndDatabase, 1);
    expect(refresh.http + refresh.database).toBeCloseTo(bench.refresh.serverAndDatabase, 2);
    expect(refresh.http).toBeCloseTo(bench.refresh.server, 2);
    expect(me.http).toBeCloseTo(bench.me.server, 2);
    expect(managementRead.http + managementRead.management).toBeCloseTo(bench.managementRead.server, 2);
    expect(keySet.http).toBeCloseTo(bench.keySet.server, 3);
  });

  it("predicts what else was measured: logins of a whole machine, and the mix", () => {
    const { bench } = figures;
    const { busy } = demandOf({ login: 1 });
    const predicted = bench.cores / stations.reduce((sum, station) => sum + busy[station], 0);
    // The load generator has its share of the cores.
    expect(predicted / bench.login.perSecond).toBeGreaterThan(1);
    expect(predicted / bench.login.perSecond).toBeLessThan(1.1);
    const mix = demandOf(typicalLoad(1)).busy;
    const server = ((mix.http + mix.hashing + mix.management) / requestsPerLogin) * 1000;
    expect(Math.abs(server / bench.mix.server - 1)).toBeLessThan(0.1);
  });

  it("has Redis hold what the rate and the lives of the keys make of it", () => {
    const once = demandOf({ login: 1 }).redisBytes;
    expect(demandOf({ login: 10 }).redisBytes).toBeCloseTo(10 * once);
    expect(demandOf({ keySet: 1_000, managementRead: 1_000 }).redisBytes).toBe(0);
  });

  it.each([100, 1_000, 10_000])("predicts the utilisation a simulation of %i logins/s has", (logins) => {
    const load = typicalLoad(logins);
    const { busy, cores } = demandOf(load);
    const { utilisation } = simulate({ load, cores, seconds: 150_000 / (logins * 15), seed });
    for (const station of stations.filter((one) => cores[one] > 0)) {
      const predicted = busy[station] / cores[station];
      expect(predicted).toBeLessThanOrEqual(targetUtilisation);
      expect(Math.abs(utilisation[station] - predicted)).toBeLessThan(0.05);
    }
  });

  it("says what saturates first, as the page does", () => {
    const needed = documentedLoads.map((rate) => deploymentOf(demandOf(typicalLoad(rate))));
    expect(needed.map(({ machines }) => machines > 1)).toEqual([false, true, true, true]);
    expect(needed.map(({ primaries }) => primaries > 1)).toEqual([false, false, true, true]);
    expect(needed.map(({ redisShards }) => redisShards > 1)).toEqual([false, false, true, true]);
  });

  it("keeps queues short at the utilisation it aims at", () => {
    const load = typicalLoad(1_000);
    const result = simulate({ load, cores: demandOf(load).cores, seconds: 10, seed });
    // A hash is most of what the slowest hundredth takes.
    expect(result.p99).toBeLessThan(2 * figures.split.login.hashing);
    expect(result.meanWait).toBeLessThan(1);
  });

  it("knows what is too little: with fewer cores than busy ones the queue grows for as long as the load lasts", () => {
    const load = typicalLoad(1_000);
    const { busy, cores } = demandOf(load);
    const few = { ...cores, hashing: Math.floor(busy.hashing * 0.9) };
    const short = simulate({ load, cores: few, seconds: 5, seed });
    const long = simulate({ load, cores: few, seconds: 20, seed });
    expect(short.utilisation.hashing).toBeGreaterThan(0.98);
    expect(long.p99).toBeGreaterThan(3 * short.p99);
  });

  it("answers every request that arrived, and the same way each time", () => {
    const load = { login: 50, me: 500, managementRead: 200 };
    const run = () => simulate({ load, cores: demandOf(load).cores, seconds: 20, seed });
    const result = run();
    expect(result).toEqual(run());
    expect(Math.abs(result.completed - 750 * 20)).toBeLessThan(600);
  });
});
