import { join } from "node:path";
import type { Config } from "../src/config/config.ts";

/** Where the hashing processes of this node listen. */
export function hashingSockets({ server }: Pick<Config, "server">): string[] {
  return Array.from({ length: server.hashingWorkers }, (_, slot) =>
    join(server.socketDirectory, `hashing-${slot}.sock`),
  );
}

/** Where the management workers of this node listen. */
export function managementSockets({ server }: Pick<Config, "server">): string[] {
  return Array.from({ length: server.managementWorkers }, (_, slot) =>
    join(server.socketDirectory, `management-${slot}.sock`),
  );
}
