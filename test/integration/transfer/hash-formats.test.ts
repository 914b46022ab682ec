import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemContext } from "../../../workers/bootstrap.ts";
import { openTestServer, type TestServer } from "../../support/embedded.ts";

interface Vector {
  readonly algorithm: string;
  readonly hash: string;
  readonly password: string;
  readonly params: unknown;
  readonly source: string;
}

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("../../unit/hashing/vectors/hashes.json", import.meta.url), "utf8"),
);

let server: TestServer;
let userIds: readonly string[];

beforeAll(async () => {
  server = await openTestServer();
  const report = await server.client().importUsers({
    inputs: vectors.map(({ algorithm, hash, params }, n) => ({
      username: `imported_${n}`,
      passwordHash: hash,
      hashAlgo: algorithm,
      hashParams: params === null ? null : Buffer.from(JSON.stringify(params)),
    })),
  });
  expect(report.results.filter(({ status }) => status !== "inserted")).toEqual([]);
  userIds = report.results.map(({ userId }) => userId);
}, 60_000);
afterAll(() => server?.close());

test("every listed family of hashes is among them", () => {
  expect([...new Set(vectors.map(({ algorithm }) => algorithm))]).toEqual(
    expect.arrayContaining([
      "argon2id",
      "argon2i",
      "argon2d",
      "bcrypt",
      "scrypt",
      "md5",
      "sha1",
      "sha256",
      "sha512",
    ]),
  );
});

test.each(vectors.map((vector, place) => ({ ...vector, place })))(
  "$source $algorithm, imported: signs in once with it, and with Argon2id from then on",
  async ({ place, password }) => {
    const userId = userIds[place] ?? "";
    const { passwords } = server.core;
    const context = systemContext("en");
    const stored = async () =>
      (
        await server.query(
          "SELECT password_hash, hash_algo, hash_params FROM S.user_passwords WHERE user_id = $1",
          [userId],
        )
      )[0];
    const before = await stored();
    expect(await passwords.verify(userId, `x${password}`, context)).toBe("mismatch");
    expect(await stored()).toEqual(before);
    expect(await passwords.verify(userId, password, context)).toBe("match");
    expect(await stored()).toMatchObject({
      hash_algo: "argon2id",
      hash_params: null,
      password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=1024,t=1,p=1\$/),
    });
    expect(await passwords.verify(userId, password, context)).toBe("match");
    expect(await passwords.verify(userId, `x${password}`, context)).toBe("mismatch");
  },
);
