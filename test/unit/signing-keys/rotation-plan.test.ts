import { describe, expect, it } from "vitest";
import { planRotation, type RotationRequest } from "../../../src/core/signing-keys/rotation-plan.ts";
import { openPrivateKey, sealPrivateKey } from "../../../src/core/signing-keys/seal.ts";
import type { KeyState, StoredKey } from "../../../src/core/signing-keys/store.ts";
import { systemRandom } from "../../../src/platform/random.ts";

const policy = { lead: 360_000, period: 0, retention: 86_400_000 };
const day = 86_400_000;

function key(
  kid: string,
  state: KeyState,
  createdAt: number,
  times: { activated?: number; expires?: number } = {},
): StoredKey {
  return {
    kid,
    algorithm: "ES256",
    publicPem: "",
    privateSealed: Buffer.alloc(0),
    state,
    createdAt: new Date(createdAt),
    activatedAt: times.activated === undefined ? null : new Date(times.activated),
    retireAt: null,
    expiresAt: times.expires === undefined ? null : new Date(times.expires),
  };
}

function plan(keys: readonly StoredKey[], request: RotationRequest, now: number, period = 0) {
  const { create, activate, retire, drop } = planRotation(keys, request, now, { ...policy, period });
  return [create, activate, retire, drop];
}

describe("rotation plan", () => {
  const active = key("a", "active", 0, { activated: 0 });
  const next = key("n", "next", 1_000);

  it("creates the first key at once", () => {
    expect(plan([], "due", 5)).toEqual(["active", undefined, [], []]);
  });

  it("does nothing on its own without a schedule", () => {
    expect(plan([active], "due", 365 * day)).toEqual([undefined, undefined, [], []]);
  });

  it("publishes the next key ahead of a scheduled rotation, once", () => {
    expect(plan([active], "due", 30 * day - policy.lead - 1, 30 * day)).toEqual([
      undefined,
      undefined,
      [],
      [],
    ]);
    expect(plan([active], "due", 30 * day - policy.lead, 30 * day)).toEqual(["next", undefined, [], []]);
    expect(plan([active, next], "due", 1_000 + policy.lead - 1, 1)).toEqual([undefined, undefined, [], []]);
  });

  it("activates a published key after the lead time only", () => {
    expect(plan([active, next], "due", 1_000 + policy.lead)).toEqual([undefined, "n", ["a"], []]);
    expect(plan([active, next], "routine", 2_000)).toEqual([undefined, undefined, [], []]);
  });

  it("rotates by command: publishing, at once, or from scratch", () => {
    expect(plan([active], "routine", 5)).toEqual(["next", undefined, [], []]);
    expect(plan([active], "now", 5)).toEqual(["active", undefined, ["a"], []]);
    expect(plan([active, next], "now", 2_000)).toEqual([undefined, "n", ["a"], []]);
    expect(plan([active, next], "emergency", 2_000)).toEqual(["active", undefined, [], ["a", "n"]]);
  });

  it("drops a retired key when its last token has expired, not before", () => {
    const retired = key("r", "retired", 0, { activated: 0, expires: 9_000 });
    expect(plan([retired, active], "due", 8_999)).toEqual([undefined, undefined, [], []]);
    expect(plan([retired, active], "due", 9_000)).toEqual([undefined, undefined, [], ["r"]]);
  });
});

describe("sealed private keys", () => {
  const secret = Buffer.alloc(32, 5);
  const of = (current: Buffer, ...former: readonly Buffer[]) => ({ current, former });

  it("open with any of the further secrets too, which is told", () => {
    const sealed = sealPrivateKey("pem text", "k1", secret, systemRandom);
    const [other, another] = [Buffer.alloc(32, 6), Buffer.alloc(32, 7)];
    expect(openPrivateKey(sealed, "k1", of(other, another, secret))).toEqual({
      pem: "pem text",
      outdated: true,
    });
    expect(() => openPrivateKey(sealed, "k1", of(other, another))).toThrow(
      "neither AUTHKIT_KEYRING_SECRET nor AUTHKIT_KEYRING_FORMER_SECRETS open signing key k1",
    );
  });

  it("open with their secret under their id", () => {
    const sealed = sealPrivateKey("pem text", "k1", secret, systemRandom);
    expect(sealed.includes("pem text")).toBe(false);
    expect(openPrivateKey(sealed, "k1", of(secret))).toEqual({ pem: "pem text", outdated: false });
    expect(sealPrivateKey("pem text", "k1", secret, systemRandom).equals(sealed)).toBe(false);
  });

  it("refuse another secret, another id, and every changed byte", () => {
    const sealed = sealPrivateKey("pem text", "k1", secret, systemRandom);
    expect(() => openPrivateKey(sealed, "k1", of(Buffer.alloc(32, 6)))).toThrow(
      "AUTHKIT_KEYRING_SECRET does not open signing key k1",
    );
    expect(() => openPrivateKey(sealed, "k2", of(secret))).toThrow("does not open");
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openPrivateKey(changed, "k1", of(secret))).toThrow();
    }
    expect(() => openPrivateKey(Buffer.alloc(0), "k1", of(secret))).toThrow("unknown form");
  });
});
