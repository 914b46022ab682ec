import type { Target } from "./cluster.ts";
import { call, request } from "./http.ts";
import type { Load } from "./load.ts";

/** What a load left behind that should not be missing. */
export interface Lost {
  /** Acknowledged accounts that do not exist. */
  readonly accounts: readonly string[];
  /** Sessions whose token no longer works. */
  readonly sessions: readonly number[];
}

/** Looks for everything that was acknowledged during a load, after it. */
export async function lostOf(cluster: Target, load: Load): Promise<Lost> {
  const accounts: string[] = [];
  for (const email of load.acknowledged) {
    const reply = await call(cluster, "GetUserByEmail", { email });
    if (reply.status !== 200 || reply.body["result"] === null) accounts.push(email);
  }
  for (const id of load.created) {
    const reply = await call(cluster, "UsersByIDs", { ids: [id] });
    const result = reply.body["result"];
    if (typeof result !== "object" || result === null || !JSON.stringify(result).includes(id))
      accounts.push(id);
  }
  const sessions: number[] = [];
  for (const [index, token] of load.sessions.entries()) {
    const reply = await request(`${cluster.api}/token`, {
      body: { grant_type: "refresh_token", refresh_token: token },
    });
    if (reply.status !== 200) sessions.push(index);
  }
  return { accounts, sessions };
}

/** Waits until a condition holds; throws with its description when it does not in time. */
export async function until(
  what: string,
  seconds: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The promise is two seconds; a machine that runs other things beside the test may take as long again. */
export const recoveredWithinMs = 4_000;

/** Milliseconds until the cluster answers a request that needs what was away; gives up after ten seconds. */
export async function recoveryMs(probe: () => Promise<boolean>): Promise<number> {
  const started = performance.now();
  await until("recovery", 10, probe);
  return performance.now() - started;
}
