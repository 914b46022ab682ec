import { demandOf, deploymentOf } from "./model.ts";
import { typicalLoad } from "./operations.ts";

/** Logins a second of the table in docs/scaling.md. */
export const documentedLoads = [100, 1_000, 10_000, 100_000] as const;

/** What each load needs, as a Markdown table. */
export function capacityTable(logins: readonly number[]): string {
  const head = [
    "| logins/s | refreshes/s | cores for hashing | cores for http | database cores | writes/s | Redis calls/s | machines | primaries | Redis shards |",
    "|---|---|---|---|---|---|---|---|---|---|",
  ];
  const rows = logins.map((rate) => {
    const demand = demandOf(typicalLoad(rate));
    const { machines, primaries, redisShards } = deploymentOf(demand);
    const cells = [
      rate,
      rate * 8,
      demand.cores.hashing,
      demand.cores.http,
      demand.cores.database,
      demand.writesPerSecond,
      demand.redisCallsPerSecond,
      machines,
      primaries,
      redisShards,
    ];
    return `| ${cells.map((cell) => cell.toLocaleString("en-GB").replaceAll(",", " ")).join(" | ")} |`;
  });
  return [...head, ...rows].join("\n");
}
