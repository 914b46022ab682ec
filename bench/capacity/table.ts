import { figures } from "./figures.ts";
import { demandOf, deploymentOf, targetUtilisation } from "./model.ts";
import { entriesOf, type Operation, operations, stations, typicalLoad } from "./operations.ts";

/** Logins a second of the table in docs/scaling.md. */
export const documentedLoads = [100, 1_000, 10_000, 100_000] as const;

type Cell = string | number;

function text(cell: Cell): string {
  return typeof cell === "number" ? cell.toLocaleString("en-GB").replaceAll(",", " ") : cell;
}

/** A Markdown table as the pages have them. */
function markdown(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map((row) => line(row.map(text)))].join("\n");
}

const names: Readonly<Record<string, string>> = {
  login: "password login",
  refresh: "refresh",
  me: "`/me`",
  managementRead: "management read",
  keySet: "key set",
  registration: "registration",
  code: "code by e-mail",
  passkey: "passkey login begun",
};

const milliseconds = (value: number | undefined): string => (value === undefined ? "" : `${value} ms`);
const orNothing = (value: number): Cell => (value === 0 ? "–" : value);

/** Bytes to two digits, as people say them. */
export function size(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value < 10 ? Math.round(value * 10) / 10 : Number(value.toPrecision(2))} ${units[power]}`;
}

/** What one request takes of each station and store. */
export function operationTable(): string {
  const rows = Object.entries(operations).map(([name, operation]) => {
    const { cpu, writes, rows, walKilobytes, redisCalls }: Operation = operation;
    return [
      names[name] ?? name,
      ...stations.map((station) => milliseconds(cpu[station])),
      ...[orNothing(writes), orNothing(rows), walKilobytes === 0 ? "–" : `${walKilobytes} KB`],
      orNothing(redisCalls),
    ];
  });
  return markdown(
    ["request", ...stations, "write transactions", "rows written", "write-ahead log", "Redis calls"],
    rows,
  );
}

/** What each load needs. */
export function capacityTable(logins: readonly number[]): string {
  const rows = logins.map((rate) => {
    const demand = demandOf(typicalLoad(rate));
    const { machines, primaries, redisShards } = deploymentOf(demand);
    const { cores, writesPerSecond, redisCallsPerSecond, redisBytes } = demand;
    return [
      ...[rate, rate * 8, cores.hashing, Math.ceil(cores.hashing / figures.hash.nativeGain), cores.http],
      ...[cores.database, writesPerSecond, redisCallsPerSecond, size(redisBytes)],
      ...[machines, primaries, redisShards],
    ];
  });
  return markdown(
    [
      ...["logins/s", "refreshes/s", "cores for hashing", "with the native kernel", "cores for http"],
      ...[
        "database cores",
        "writes/s",
        "Redis calls/s",
        "Redis memory",
        "machines",
        "primaries",
        "Redis shards",
      ],
    ],
    rows,
  );
}

/** Sizes of rows, and of a million of them. */
export function rowTable(): string {
  return markdown(
    ["one row of", "bytes", "with its indexes", "a million"],
    Object.entries(figures.stores.rows).map(([table, { bytes, withIndexes }]) => [
      ...[`\`${table}\``, bytes, withIndexes],
      size(withIndexes * 1e6),
    ]),
  );
}

/** What requests leave in Redis, and for how long. */
export function keyTable(): string {
  return markdown(
    ["after", "keys", "number", "bytes each", "seconds"],
    Object.entries(figures.stores.redis.keys).flatMap(([after, kinds]) =>
      kinds.map(({ key, keys, bytes, seconds }) => [names[after] ?? after, key, keys, bytes, seconds]),
    ),
  );
}

/** What a core is good for; of docs/operations.md. */
export function sizingTable(): string {
  const row = (name: string, cpu: number): Cell[] => {
    const rate = (targetUtilisation * 1000) / cpu;
    return [name, `${Number(cpu.toPrecision(2))} ms`, Number(rate.toPrecision(2))];
  };
  const rows = Object.entries(operations).flatMap(([name, { cpu }]) => {
    const parts: Operation["cpu"] = cpu;
    const { hashing = 0 } = parts;
    const all = stations.reduce((sum, station) => sum + (parts[station] ?? 0), 0);
    const label = names[name] ?? name;
    if (hashing === 0) return [row(label, all)];
    return [
      row(`${label}, native kernel`, all - hashing + hashing / figures.hash.nativeGain),
      row(`${label}, prebuilt library`, all),
    ];
  });
  return markdown(["request", "CPU, database included", "a core does, a second, at 65 %"], rows);
}

/** How many requests of the typical mix come with a login. */
export const requestsPerLogin = entriesOf(typicalLoad(1)).reduce((sum, [, rate]) => sum + rate, 0);
