import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";

let cluster: TestCluster;

const start = async (env: Record<string, string>): Promise<TestCluster> =>
  startCluster({ env: { ...behindProxy, AUTHKIT_CONFIG: await unlimited(), ...env } });

interface Met {
  readonly status: number;
  readonly retryAfter: number;
}

/** Sign-ins of nobody, which cost a hash each. */
async function login(): Promise<Met> {
  const reply = await api(cluster, "/password/login", { body: { login: "nobody", password: "password123" } });
  return { status: reply.status, retryAfter: Number(reply.headers.get("retry-after") ?? 0) };
}

describe("where a hash is quick", () => {
  beforeAll(async () => {
    cluster = await start({});
  });
  afterAll(() => cluster?.stop());

  test("twenty who come at once on an idle server are all served", async () => {
    const met = await Promise.all(Array.from({ length: 20 }, login));
    expect(met.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 401));
  });
});

describe("where a hash takes long", () => {
  beforeAll(async () => {
    // A tenth of a second and more; far more come than are done.
    cluster = await start({ AUTHKIT_ARGON2: "m=65536,t=6,p=1" });
  });
  afterAll(() => cluster?.stop());

  test("a storm of logins is shed with 503 and Retry-After, and leaves the rest alone", async () => {
    const person = await registered(cluster);
    const met: Met[] = [];
    const light: number[] = [];
    let going = true;
    const people = Array.from({ length: 40 }, async () => {
      while (going) {
        met.push(await login());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    for (let n = 0; n < 20; n++) {
      light.push((await request(`${cluster.url}/.well-known/jwks.json`)).status);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    going = false;
    await Promise.all(people);
    const served = met.filter(({ status }) => status === 401);
    const shed = met.filter(({ status }) => status === 503);
    expect(served.length).toBeGreaterThan(2);
    expect(shed.length).toBeGreaterThan(served.length);
    expect(served.length + shed.length).toBe(met.length);
    expect(shed.filter(({ retryAfter }) => !(retryAfter >= 1))).toEqual([]);
    expect(light.filter((status) => status !== 200)).toEqual([]);
    // When it is over nothing of it is left.
    const reply = await api(cluster, "/password/login", {
      body: { login: person.username, password: person.password },
    });
    expect(reply.status).toBe(200);
  });
});
