/**
 * `npm run capacity [-- <logins a second>…]`: what a load needs by the capacity model, and how a simulation of it behaves. The tables are
 * those of docs/scaling.md and docs/operations.md; what they are made of is in figures.ts.
 */
import { demandOf, deploymentOf } from "./model.ts";
import { typicalLoad } from "./operations.ts";
import { simulate } from "./simulation.ts";
import {
  capacityTable,
  documentedLoads,
  keyTable,
  operationTable,
  requestsPerLogin,
  rowTable,
  sizingTable,
} from "./table.ts";

/** Requests a simulation goes through: enough for a steady 99th percentile. */
const simulatedRequests = 300_000;

const asked = process.argv.slice(2).map(Number);
if (asked.some((rate) => !(rate > 0))) {
  console.error("npm run capacity -- <logins a second>…, e.g. npm run capacity -- 250");
  process.exitCode = 2;
} else {
  const loads = asked.length === 0 ? documentedLoads : asked;
  if (asked.length === 0)
    for (const table of [operationTable(), rowTable(), keyTable(), sizingTable()]) console.log(`${table}\n`);
  console.log(`${capacityTable(loads)}\n`);
  console.log(
    "| logins/s | simulated: busiest station | p50 ms | p99 ms | mean wait ms |\n|---|---|---|---|---|",
  );
  for (const logins of loads) {
    const load = typicalLoad(logins);
    const { cores } = demandOf(load);
    const seconds = Math.max(1, simulatedRequests / (logins * requestsPerLogin));
    const result = simulate({ load, cores, seconds, seed: 1 });
    const [station, share] = Object.entries(result.utilisation).reduce((a, b) => (b[1] > a[1] ? b : a));
    console.log(
      `| ${logins} | ${station} ${Math.round(share * 100)} % | ${result.p50.toFixed(1)} | ${result.p99.toFixed(1)} | ${result.meanWait.toFixed(2)} |`,
    );
  }
  const largest = deploymentOf(demandOf(typicalLoad(Math.max(...loads))));
  console.log(
    `\nThe largest: ${largest.machines} machines, ${largest.primaries} PostgreSQL primaries, ${largest.redisShards} Redis shards.`,
  );
}
