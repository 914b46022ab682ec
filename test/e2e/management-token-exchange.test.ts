import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call } from "../support/http.ts";
import { until } from "../support/outcome.ts";
import { reload } from "../support/reload.ts";

const [leaked, fresh] = ["leaked-management-token-0123456789", "fresh-management-token-0123456789"];

let directory: string;
let file: string;
let cluster: TestCluster;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-token-"));
  file = join(directory, "management-token");
  await writeFile(file, `${leaked}\n`);
  cluster = await startCluster({
    env: { AUTHKIT_MGMT_TOKEN: undefined, AUTHKIT_MGMT_TOKEN_FILE: file, AUTHKIT_HTTP_WORKERS: "1" },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await rm(directory, { recursive: true, force: true });
});

const statusWith = async (managementToken: string): Promise<number> =>
  (await call({ url: cluster.url, managementToken }, "AdminCountUsers", {})).status;

test("a token is exchanged by writing its file and reloading: no call fails, then the former one is refused", async () => {
  let token = leaked;
  let calling = true;
  const answers: number[] = [];
  const backEnd = (async () => {
    while (calling) {
      answers.push(await statusWith(token));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await until("calls are under way", 30, () => answers.length > 5);

  // Both are taken; nothing happens before the reload.
  await writeFile(file, `${leaked},${fresh}\n`);
  expect(await statusWith(fresh)).toBe(401);
  await reload(cluster);
  expect(await statusWith(leaked)).toBe(200);
  token = fresh;
  const seen = answers.length;
  await until("the back end uses the new one", 30, () => answers.length > seen + 5);

  await writeFile(file, `${fresh}\n`);
  await reload(cluster);
  expect(await statusWith(leaked)).toBe(401);
  expect(await statusWith(fresh)).toBe(200);
  calling = false;
  await backEnd;
  expect(answers.filter((status) => status !== 200)).toEqual([]);
}, 240_000);

test("a file that cannot be used stops the replacement, and the workers there are serve on", async () => {
  await writeFile(file, "\n");
  const said = cluster.output().length;
  cluster.process.kill("SIGHUP");
  await until("the reload is given up", 90, () =>
    cluster.output().slice(said).includes("replacement stopped"),
  );
  expect(cluster.output().slice(said)).toContain("AUTHKIT_MGMT_TOKEN_FILE");
  expect(await statusWith(fresh)).toBe(200);
  await writeFile(file, `${fresh}\n`);
}, 180_000);
