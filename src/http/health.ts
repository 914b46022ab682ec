import type { HeaderList, HttpRequest } from "../platform/http/engine.ts";

/** One named condition of readiness; resolves to undefined when met, else to the reason. */
export type ReadinessCheck = () => Promise<string | undefined>;

export interface Health {
  /** `/healthz`: the process answers; nothing else is looked at. */
  live(request: HttpRequest): void;
  /** `/readyz`: every check, with reasons; 503 while one is unmet or the process drains. */
  ready(request: HttpRequest): Promise<void>;
  /** From now on not ready. */
  drain(): void;
}

const headers: HeaderList = [
  ["Content-Type", "application/json"],
  ["Cache-Control", "no-store"],
  ["X-Content-Type-Options", "nosniff"],
];

/** How long one check may take before it counts as failed. */
const checkTimeoutMs = 2_000;

async function outcome(check: ReadinessCheck): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("no answer in time"), checkTimeoutMs);
  });
  try {
    return (await Promise.race([check(), late])) ?? "ok";
  } catch (error) {
    return error instanceof Error && error.message !== "" ? error.message : "failed";
  } finally {
    clearTimeout(timer);
  }
}

/** Health endpoints over named checks (`database`, `migrations`, `signing_key`, `redis`, …). */
export function createHealth(checks: Readonly<Record<string, ReadinessCheck>>): Health {
  let draining = false;
  return {
    live(request) {
      request.reply(200, headers, '{"status":"ok"}\n');
    },
    async ready(request) {
      const names = Object.keys(checks);
      const outcomes = await Promise.all(Object.values(checks).map(outcome));
      const results = Object.fromEntries(names.map((name, i) => [name, outcomes[i] ?? "failed"]));
      const ready = !draining && outcomes.every((result) => result === "ok");
      const body = { status: draining ? "draining" : ready ? "ready" : "not_ready", checks: results };
      request.reply(
        ready ? 200 : 503,
        ready ? headers : [...headers, ["Retry-After", "1"]],
        `${JSON.stringify(body)}\n`,
      );
    },
    drain() {
      draining = true;
    },
  };
}
