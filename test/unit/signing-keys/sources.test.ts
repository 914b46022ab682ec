import { createPublicKey } from "node:crypto";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { generatePrivateKey, privatePem, publicPem } from "../../../src/core/signing-keys/generate.ts";
import { createKeyRing, prepareSigningKeys } from "../../../src/core/signing-keys/key-ring.ts";
import type { KeyRing } from "../../../src/core/signing-keys/types.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { recordingLog } from "../tokens/fixtures.ts";

let directory: string;
const rings: KeyRing[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-keys-"));
});

afterEach(async () => {
  for (const ring of rings.splice(0)) await ring.close();
  await rm(directory, { recursive: true, force: true });
});

function configFor(overrides: ConfigOverrides = {}): Config {
  return testConfig(
    {},
    { stateDirectory: join(directory, "state"), ...overrides, keys: { path: directory, ...overrides.keys } },
  );
}

async function open(config: Config, log = recordingLog(), pollMs = 20): Promise<KeyRing> {
  const ring = await createKeyRing({ config, clock: systemClock, random: systemRandom, log }, { pollMs });
  rings.push(ring);
  return ring;
}

async function write(kid: string, extra: object = {}, path = join(directory, "keys.json")): Promise<void> {
  const document = {
    active_key_id: kid,
    active_private_key_pem: privatePem(generatePrivateKey("ES256")),
    ...extra,
  };
  // As a side-car does it: never a half-written file.
  await writeFile(`${path}.new`, JSON.stringify(document), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const publicKeyPem = publicPem(createPublicKey(generatePrivateKey("ES256")));
const environment = { activeKeyId: "env", activePrivateKeyPem: privatePem(generatePrivateKey("EdDSA")) };

describe("precedence", () => {
  it("environment, then file, then generated", async () => {
    await write("from-file");
    expect((await open(configFor({ keys: environment }))).current()).toMatchObject({
      source: "environment",
      active: { kid: "env" },
    });
    expect((await open(configFor())).current()).toMatchObject({
      source: "file",
      active: { kid: "from-file" },
    });
    await unlink(join(directory, "keys.json"));
    expect((await open(configFor())).current().source).toBe("generated");
  });

  it.each(["production", "staging", "foo"])("%s never runs on a key of its own making", async (name) => {
    const config = configFor({ environment: { name, class: "production" } });
    await expect(open(config)).rejects.toThrow(/no signing key: set AUTHKIT_ACTIVE_KEY_ID/);
    await expect(readdir(config.stateDirectory)).rejects.toThrow("ENOENT");
  });

  it("verify-only publishes nothing", async () => {
    const keys = (await open(configFor({ keys: { ...environment, verifyOnly: true } }))).current();
    expect(keys.active).toBeUndefined();
    expect(keys.jwks.toString()).toBe('{"keys":[]}');
  });
});

describe("environment", () => {
  it.each([[{ activeKeyId: "only" }], [{ activePrivateKeyPem: environment.activePrivateKeyPem }]])(
    "refuses half of the pair",
    async (keys) => {
      await expect(open(configFor({ keys }))).rejects.toThrow("must be set together");
    },
  );

  it("refuses an unusable key and an id listed with another key", async () => {
    await expect(
      open(configFor({ keys: { activeKeyId: "k", activePrivateKeyPem: "nonsense" } })),
    ).rejects.toThrow("no PEM block");
    const keys = { ...environment, publicKeys: { env: publicKeyPem } };
    await expect(open(configFor({ keys }))).rejects.toThrow("key id env");
  });

  it("skips an unreadable public key and says so", async () => {
    const log = recordingLog();
    const keys = { ...environment, publicKeys: { good: publicKeyPem, bad: "nonsense" } };
    const ring = await open(configFor({ keys }), log);
    expect([...ring.current().byKid.keys()].sort()).toEqual(["env", "good"]);
    expect(log.lines).toMatchObject([
      { fields: { kid: "bad" }, message: "public key skipped: it cannot be read" },
    ]);
  });
});

describe("keys.json", () => {
  it("publishes retired keys and those of AUTHKIT_PUBLIC_KEYS; the file wins", async () => {
    const inFile = publicPem(createPublicKey(generatePrivateKey("ES384")));
    await write("now", { public_keys: { before: inFile } });
    const keys = { publicKeys: { before: publicKeyPem, now: publicKeyPem, further: publicKeyPem } };
    const { byKid } = (await open(configFor({ keys }))).current();
    expect([...byKid.keys()].sort()).toEqual(["before", "further", "now"]);
    expect(byKid.get("before")?.algorithm).toBe("ES384");
  });

  it.each([
    ["no JSON", "{", "not valid JSON"],
    ["no object", "[]", "must hold a JSON object"],
    ["no id", '{"active_private_key_pem":"x"}', "lacks active_key_id"],
    ["blank id", '{"active_key_id":" ","active_private_key_pem":"x"}', "lacks active_key_id"],
    ["no key", '{"active_key_id":"k"}', "lacks active_private_key_pem"],
    ["bad key", '{"active_key_id":"k","active_private_key_pem":"x"}', "no PEM block"],
    ["bad list", '{"active_key_id":"k","active_private_key_pem":"x","public_keys":[]}', "public_keys"],
  ])("refuses to start with %s, in development too", async (_, text, message) => {
    await writeFile(join(directory, "keys.json"), text, { mode: 0o600 });
    await expect(open(configFor())).rejects.toThrow(message);
  });

  it("refuses a file others may write, warns of one others may read", async () => {
    await write("k");
    const path = join(directory, "keys.json");
    await chmod(path, 0o660);
    await expect(open(configFor())).rejects.toThrow("writable by its group or by everyone");
    await chmod(path, 0o644);
    const log = recordingLog();
    expect((await open(configFor(), log)).current().active?.kid).toBe("k");
    expect(log.lines).toMatchObject([{ fields: { mode: "644" } }]);
  });

  it("is followed: new keys are used within a poll, garbage keeps the last good ones, repair is seen", async () => {
    await write("one");
    const log = recordingLog();
    const ring = await open(configFor(), log);
    const seen: (string | undefined)[] = [];
    ring.onChange((keys) => seen.push(keys.active?.kid));
    await write("two");
    await until(() => ring.current().active?.kid === "two");
    const good = ring.current();
    await writeFile(join(directory, "keys.json"), "garbage");
    await until(() => log.lines.some(({ message }) => message.includes("could not be reloaded")));
    expect(ring.current()).toBe(good);
    await write("three");
    await until(() => ring.current().active?.kid === "three");
    expect(seen).toEqual(["two", "three"]);
  });

  it("notices a swap that keeps the time, through a symbolic link too", async () => {
    const then = new Date(1_700_000_000_000);
    for (const name of ["a", "b"]) {
      await mkdir(join(directory, name));
      await write(name, {}, join(directory, name, "keys.json"));
      await utimes(join(directory, name, "keys.json"), then, then);
    }
    await symlink("a/keys.json", join(directory, "keys.json"));
    const ring = await open(configFor());
    expect(ring.current().active?.kid).toBe("a");
    await symlink("b/keys.json", join(directory, "link"));
    await rename(join(directory, "link"), join(directory, "keys.json"));
    await until(() => ring.current().active?.kid === "b");
  });

  it("keeps the key set's identity while nothing changes", async () => {
    await write("same");
    const ring = await open(configFor());
    const before = ring.current();
    await ring.reload();
    expect(ring.current()).toBe(before);
  });
});

describe("generated key", () => {
  it("is kept private and used again after a restart", async () => {
    const config = configFor();
    const first = (await open(config)).current();
    expect(first.active?.algorithm).toBe("ES256");
    expect(first.active?.kid).toMatch(/^dev-\d+$/);
    const path = join(config.stateDirectory, "keys");
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, "keys.json"))).mode & 0o777).toBe(0o600);
    expect(await readdir(path)).toEqual(["keys.json"]);
    expect((await open(config)).current().etag).toBe(first.etag);
  });

  it("is one for processes that start at once", async () => {
    const config = configFor();
    const opened = await Promise.all(Array.from({ length: 16 }, () => open(config)));
    expect(new Set(opened.map((ring) => ring.current().etag)).size).toBe(1);
    await prepareSigningKeys({ config, clock: systemClock, random: systemRandom, log: recordingLog() });
    expect((await open(config)).current().etag).toBe(opened[0]?.current().etag);
  });

  it("is not looked for before what is given, which is refused before anything runs when it cannot be used", async () => {
    await writeFile(join(directory, "keys.json"), '{"active_key_id":"x"}', { mode: 0o600 });
    const context = { config: configFor(), clock: systemClock, random: systemRandom, log: recordingLog() };
    await expect(prepareSigningKeys(context)).rejects.toThrow("lacks active_private_key_pem");
  });

  it("replaces an unreadable one, loudly", async () => {
    const config = configFor();
    const path = join(config.stateDirectory, "keys");
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "keys.json"), "{", { mode: 0o600 });
    const log = recordingLog();
    expect((await open(config, log)).current().active).toBeDefined();
    expect(log.lines).toMatchObject([{ message: expect.stringContaining("outstanding tokens die") }]);
    expect((await readdir(path)).sort()).toEqual(["keys.json", "keys.json.unreadable"]);
  });

  it("serves from memory where nothing can be stored", async () => {
    await writeFile(join(directory, "state"), "a file, not a directory");
    const log = recordingLog();
    const ring = await open(configFor(), log);
    const { etag } = ring.current();
    expect(log.lines).toMatchObject([{ message: expect.stringContaining("cannot be stored") }]);
    await ring.reload();
    expect(ring.current().etag).toBe(etag);
  });
});
