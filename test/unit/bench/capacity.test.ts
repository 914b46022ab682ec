import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { demandOf, targetUtilisation } from "../../../bench/capacity/model.ts";
import { stations, typicalLoad } from "../../../bench/capacity/operations.ts";
import { simulate } from "../../../bench/capacity/simulation.ts";
import { capacityTable, documentedLoads } from "../../../bench/capacity/table.ts";

const seed = 7;

describe("the capacity model", () => {
  it("is the one the scaling page prints", () => {
    const page = readFileSync(new URL("../../../docs/scaling.md", import.meta.url), "utf8");
    expect(page).toContain(capacityTable(documentedLoads));
  });

  it("agrees with what was measured: one machine of two cores, saturated by logins", () => {
    const { busy } = demandOf({ login: 1 });
    const secondsALogin = stations.reduce((sum, station) => sum + busy[station], 0);
    // 68 to 83 logins/s by the bench, the generator's share included.
    expect(2 / secondsALogin).toBeGreaterThan(68);
    expect(2 / secondsALogin).toBeLessThan(92);
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

  it("keeps queues short at the utilisation it aims at", () => {
    const load = typicalLoad(1_000);
    const result = simulate({ load, cores: demandOf(load).cores, seconds: 10, seed });
    // A hash of 22 ms is most of what the slowest hundredth takes.
    expect(result.p99).toBeLessThan(2 * 22);
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
