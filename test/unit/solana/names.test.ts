import { describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import type { Identities } from "../../../src/core/identities/index.ts";
import { createWalletNames, readName } from "../../../src/core/solana/names.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import type { Outbound } from "../../../src/platform/outbound/port.ts";
import { testConfig } from "../../support/config.ts";
import { testClock } from "../tokens/fixtures.ts";

const now = 1_782_475_200;

function answer(result: unknown, s = "ok"): string {
  return JSON.stringify({ s, result });
}

describe("what the resolver says", () => {
  const resolved = (name: string) => ({
    sns_primary_name: name,
    sns_resolution_status: "resolved",
    sns_error: null,
  });
  const none = { sns_primary_name: null, sns_resolution_status: "not_found", sns_error: null };
  const failed = (code: string) => ({
    sns_primary_name: null,
    sns_resolution_status: "error",
    sns_error: code,
  });
  it.each([
    [200, answer({ reverse: "Example" }), resolved("example.sol")],
    [200, answer({ reverse: " Example.SOL " }), resolved("example.sol")],
    [200, answer({ reverse: "Example", stale: true }), none],
    [200, answer({ reverse: "  " }), none],
    [200, answer({}), none],
    [200, answer({ reverse: "a b" }), failed("invalid_sns_name")],
    [200, answer({ reverse: "a" }, "error"), failed("resolver_error")],
    [500, answer({ reverse: "a" }), failed("resolver_error")],
    [200, "no JSON", failed("resolver_error")],
    [200, "null", failed("resolver_error")],
  ])("%s %s", (status, body, expected) => {
    expect(readName(status, body)).toEqual(expected);
  });
});

describe("names of wallets", () => {
  function namesWith(
    respond: (url: string) => Promise<string>,
    enabled = true,
    contract: Config["contract"] = "0.73",
  ) {
    const urls: string[] = [];
    const stored: [string, Readonly<Record<string, unknown>>][] = [];
    const outbound: Outbound = {
      async request({ url, timeout }) {
        urls.push(url);
        expect(timeout).toBe(3_000);
        return { status: 200, headers: {}, body: Buffer.from(await respond(url)) };
      },
      fetch: () => Promise.reject(new Error("unused")),
      close: async () => undefined,
    };
    const identities: Pick<Identities, "setProfile"> = {
      async setProfile(link, profile) {
        expect(link.userId).toBe("user-1");
        stored.push([link.id, profile]);
      },
    };
    const nameService = { enabled, url: enabled ? "https://names.example/" : undefined, timeoutMs: 3_000 };
    const config = testConfig({}, { contract, solana: { nameService } });
    const clock = testClock(now);
    return {
      names: createWalletNames({ config, outbound, clock, log: silentLog }, identities),
      urls,
      stored,
      clock,
    };
  }
  const wallet = {
    id: "link-1",
    userId: "user-1",
    address: "FAe4",
    profile: { username: "kept", sns_primary_name: "old.sol" },
  };

  it("a stale one is looked up in the background, once at a time, and replaces the old one", async () => {
    const { names, urls, stored, clock } = namesWith(async () => answer({ reverse: "new" }));
    const stale = {
      primary_sns_name: "old.sol",
      sns_resolution_status: "stale",
      sns_resolved_at: null,
      sns_stale: true,
      sns_error: null,
    };
    for (let i = 0; i < 50; i++) expect(names.members(wallet)).toEqual(stale);
    await names.settled();
    expect(urls).toEqual(["https://names.example/FAe4"]);
    const profile = stored[0]?.[1] ?? {};
    expect(profile).toEqual({
      username: "kept",
      sns_primary_name: "new.sol",
      sns_resolution_status: "resolved",
      sns_error: null,
      sns_resolved_at: new Date(now * 1000).toISOString(),
    });
    expect(names.members({ ...wallet, profile })).toMatchObject({
      primary_sns_name: "new.sol",
      sns_resolution_status: "resolved",
      sns_stale: false,
    });
    clock.advance(24 * 3600 + 1);
    expect(names.members({ ...wallet, profile })).toMatchObject({
      primary_sns_name: "new.sol",
      sns_resolution_status: "stale",
      sns_stale: true,
    });
    await names.settled();
    expect(urls).toHaveLength(2);
  });

  it("a failure is remembered like an answer, and the number of look-ups under way is bounded", async () => {
    const { names, urls, stored } = namesWith(() => Promise.reject(new Error("down")));
    for (let i = 0; i < 100; i++)
      names.refresh({ id: `link-${i}`, userId: "user-1", address: `a${i}`, profile: {} });
    expect(urls).toHaveLength(16);
    await names.settled();
    expect(stored).toHaveLength(16);
    expect(stored[0]?.[1]).toMatchObject({ sns_resolution_status: "error", sns_error: "resolver_error" });
  });

  it("switched off, nobody is asked", async () => {
    const { names, urls } = namesWith(async () => answer({ reverse: "x" }), false);
    expect(names.members(wallet)).toMatchObject({ sns_resolution_status: "disabled", sns_stale: false });
    names.refresh(wallet);
    expect(urls).toEqual([]);
  });

  it("switched off under the later generation, what is known stays, and nobody waits for more", () => {
    const { names, urls } = namesWith(async () => answer({ reverse: "x" }), false, "0.97");
    const known = { sns_primary_name: "old.sol", sns_resolved_at: "2020-01-01T00:00:00.000Z" };
    for (const [stored, shown] of [
      ["resolved", "resolved"],
      ["not_found", "not_found"],
      ["error", "error"],
      ["disabled", "not_found"],
    ]) {
      const profile = { ...known, sns_resolution_status: stored };
      expect(names.members({ ...wallet, profile })).toMatchObject({
        primary_sns_name: "old.sol",
        sns_resolution_status: shown,
        sns_stale: false,
      });
    }
    expect(names.members({ ...wallet, profile: {} })).toEqual({
      primary_sns_name: null,
      sns_resolution_status: "not_found",
      sns_resolved_at: null,
      sns_stale: false,
      sns_error: null,
    });
    expect(urls).toEqual([]);
  });
});
