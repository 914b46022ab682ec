import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadTotpKeys, prepareTotpKey } from "../../../src/core/signing-keys/totp-key.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { recordingLog } from "../tokens/fixtures.ts";

let directory: string;
const key = Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 37 + 251) % 256));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-totp-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function load(
  totpSecretKey: Buffer | undefined = undefined,
  log = recordingLog(),
): Promise<Buffer | undefined> {
  const { keys } = testConfig({}, { keys: { path: directory } });
  return (await loadTotpKeys({ ...keys, totpSecretKey }, log))?.current;
}

async function put(content: string | Buffer, mode = 0o600): Promise<void> {
  const path = join(directory, "totp.key");
  await writeFile(path, content);
  await chmod(path, mode);
}

describe("totp.key", () => {
  it("is optional", async () => {
    expect(await load()).toBeUndefined();
  });

  it.each([
    ["hex", `${key.toString("hex")}\n`],
    ["upper-case hex", key.toString("hex").toUpperCase()],
    ["base64", `  ${key.toString("base64")}\r\n`],
    ["base64 without padding", key.toString("base64").replaceAll("=", "")],
    ["base64url", key.toString("base64url")],
    ["raw bytes", key],
  ])("is read from %s", async (_, content) => {
    await put(content);
    expect(await load()).toEqual(key);
  });

  it("prefers hex over base64 over raw bytes", async () => {
    await put("0123456789abcdef0123456789abcdef");
    expect(await load()).toEqual(Buffer.from("0123456789abcdef0123456789abcdef", "hex"));
    await put("abcdefghijklmnopqrstuvwxyz012345");
    expect(await load()).toEqual(Buffer.from("abcdefghijklmnopqrstuvwxyz012345", "base64"));
    await put("!bcdefghijklmno?");
    expect(await load()).toEqual(Buffer.from("!bcdefghijklmno?"));
  });

  it("may hold several keys, the newest first", async () => {
    const [newer, older] = [Buffer.alloc(32, 1), Buffer.alloc(16, 2)];
    const { keys } = testConfig({}, { keys: { path: directory, totpFormerKeys: [key] } });
    await put(`${newer.toString("hex")}\r\n\n${older.toString("base64")}\n`);
    expect(await loadTotpKeys({ ...keys, totpSecretKey: undefined }, recordingLog())).toEqual({
      current: newer,
      former: [older, key],
    });
    await put(`${newer.toString("hex")}\nshort\n`);
    await expect(load()).rejects.toThrow("must hold 16, 24 or 32 bytes");
  });

  it.each(["", " \n", "short", key.toString("hex").slice(2)])("refuses %j", async (content) => {
    await put(content);
    await expect(load()).rejects.toThrow("must hold 16, 24 or 32 bytes");
  });

  it("refuses a file others may write, warns of one others may read", async () => {
    await put(key, 0o620);
    await expect(load()).rejects.toThrow("chmod go-w");
    await put(key, 0o640);
    const log = recordingLog();
    expect(await load(undefined, log)).toEqual(key);
    expect(log.lines).toHaveLength(1);
  });

  it("yields to configuration, which must be an AES key", async () => {
    await put("short");
    expect(await load(Buffer.alloc(24, 3))).toEqual(Buffer.alloc(24, 3));
    await expect(load(Buffer.alloc(20))).rejects.toThrow("20 bytes");
  });
});

describe("before anything runs", () => {
  const prepare = (overrides: ConfigOverrides, log = recordingLog()): Promise<void> =>
    prepareTotpKey(
      testConfig({}, { ...overrides, keys: { path: directory, totpSecretKey: undefined } }),
      log,
    );

  it("a file that cannot be used is refused, whatever the methods", async () => {
    await put("short");
    await expect(prepare({ mfa: { methods: ["email"] } })).rejects.toThrow(
      `${join(directory, "totp.key")} must hold 16, 24 or 32 bytes: as hex, base64 or raw`,
    );
    await put(key, 0o602);
    await expect(prepare({})).rejects.toThrow("chmod go-w");
  });

  it("TOTP among the methods without a key is worth a warning", async () => {
    const log = recordingLog();
    await prepare({}, log);
    expect(log.lines).toEqual([
      {
        fields: { path: join(directory, "totp.key") },
        message: expect.stringContaining("TOTP is not offered: there is no key for its secrets"),
      },
    ]);
  });

  it.each<ConfigOverrides["mfa"]>([{ mode: "disabled" }, { methods: ["email", "sms"] }])(
    "%j needs no key",
    async (mfa) => {
      const log = recordingLog();
      await prepare({ mfa }, log);
      expect(log.lines).toEqual([]);
    },
  );

  it("a key silences it", async () => {
    const log = recordingLog();
    await put(key);
    await prepare({}, log);
    expect(log.lines).toEqual([]);
  });

  it("a second factor that is required, with none that can work, is refused", async () => {
    const required = { mfa: { mode: "required" as const } };
    await expect(prepare({ ...required, senders: { mail: undefined, sms: undefined } })).rejects.toThrow(
      "AUTHKIT_2FA_MODE is required, but TOTP, the only method, has no key",
    );
    await expect(prepare(required)).resolves.toBeUndefined();
  });
});
