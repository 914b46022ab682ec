import type { KeyObject } from "node:crypto";
import { generatePrivateKey } from "../../../src/core/signing-keys/generate.ts";
import { buildKeySet } from "../../../src/core/signing-keys/key-set.ts";
import type { KeyRing, KeySet, SigningAlgorithm } from "../../../src/core/signing-keys/types.ts";
import type { Clock } from "../../../src/platform/clock.ts";
import type { Log } from "../../../src/platform/log/port.ts";
import { silentLog } from "../../../src/platform/log/port.ts";

/** A clock that stands until it is moved. */
export function testClock(
  at: number,
): Clock & { set(seconds: number): void; advance(seconds: number): void } {
  let millis = at * 1000;
  return {
    now: () => new Date(millis),
    millis: () => millis,
    epochSeconds: () => Math.floor(millis / 1000),
    monotonic: () => millis,
    set(seconds) {
      millis = seconds * 1000;
    },
    advance(seconds) {
      millis += seconds * 1000;
    },
  };
}

export interface TestRing extends KeyRing {
  swap(keys: KeySet): void;
}

/** A key ring over one key set that tests swap themselves. */
export function testRing(first: KeySet): TestRing {
  let keys = first;
  return {
    current: () => keys,
    reload: async () => undefined,
    onChange: () => undefined,
    close: async () => undefined,
    swap(next) {
      keys = next;
    },
  };
}

export function keySet(
  kid: string,
  algorithm: SigningAlgorithm = "ES256",
  others: ReadonlyMap<string, KeyObject> = new Map(),
): KeySet {
  return buildKeySet(
    { active: { kid, privateKey: generatePrivateKey(algorithm) }, others },
    "environment",
    new Date(0),
  );
}

/** Collects what was logged as warning or error. */
export function recordingLog(): Log & { readonly lines: { fields: object; message: string }[] } {
  const lines: { fields: object; message: string }[] = [];
  const record = (fields: object, message: string) => void lines.push({ fields, message });
  const log = { ...silentLog, lines, warn: record, error: record, child: () => log };
  return log;
}

/** Decodes a JWS segment as JSON text. */
export function segmentText(token: string, index: 0 | 1): string {
  return Buffer.from(token.split(".")[index] ?? "", "base64url").toString("utf8");
}
