import type { Static, TSchema } from "typebox";
import { Type } from "typebox";
import { schemaCheck } from "../../platform/schema-check.ts";
import type { Platform } from "../platform.ts";
import { createProofSecrets, hashToken } from "./secrets.ts";

/** A proof that is asked for, and what is to happen once it is given. */
export interface Challenge<P> {
  /** Whom it belongs to: an address or a user id. At most one challenge an owner and purpose. */
  readonly owner: string;
  readonly payload: P;
}

export interface IssuedChallenge {
  /** Six digits. */
  readonly code: string;
  /** 43 characters, for a link. */
  readonly token: string;
}

/** A challenge that has been used up: nobody else gets it. */
export interface TakenChallenge<P> extends Challenge<P> {
  /** Puts it back, code and link included, when what it was taken for has failed. */
  restore(): Promise<void>;
}

/**
 * Outstanding proofs of one purpose. Each is one record under its owner, so that it is replaced, used and dropped as a whole; a link
 * token is a pointer to it. Using one up is atomic: of many callers exactly one gets it.
 */
export interface Challenges<P> {
  readonly ttlSeconds: number;
  /** Replaces the owner's older challenge: its code and link are dead at once. */
  issue(owner: string, payload: P): Promise<IssuedChallenge>;
  /** The same, unless one is outstanding: then undefined. */
  issueFirst(owner: string, payload: P): Promise<IssuedChallenge | undefined>;
  find(owner: string): Promise<Challenge<P> | undefined>;
  /** Looks without using it up. */
  findByToken(token: string): Promise<Challenge<P> | undefined>;
  /** `admit` may decline what the code or token belongs to; the challenge then stays. */
  takeByCode(
    owner: string,
    code: string,
    admit?: (challenge: Challenge<P>) => boolean,
  ): Promise<TakenChallenge<P> | undefined>;
  takeByToken(
    token: string,
    admit?: (challenge: Challenge<P>) => boolean,
  ): Promise<TakenChallenge<P> | undefined>;
  /** Removes the challenge; true when there was one. */
  drop(owner: string): Promise<boolean>;
  /** Kills the code (too many wrong guesses); the link, which cannot be guessed, and the payload stay. */
  dropCode(owner: string): Promise<void>;
}

interface StoredChallenge<P> {
  readonly owner: string;
  readonly codeHash: string;
  readonly tokenHash: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly payload: P;
}

/** A hash no code has. */
const deadCode = "";

export function createChallenges<S extends TSchema>(
  platform: Pick<Platform, "config" | "random" | "clock" | "ephemeral">,
  purpose: string,
  ttlSeconds: number,
  payloadSchema: S,
): Challenges<Static<S>> {
  type P = Static<S>;
  const { ephemeral, clock } = platform;
  const secrets = createProofSecrets(platform, purpose);
  const shape = schemaCheck(
    Type.Object({
      owner: Type.String(),
      codeHash: Type.String(),
      tokenHash: Type.String(),
      expiresAt: Type.Number(),
    }),
  );
  const payloadShape = schemaCheck(payloadSchema);
  /** Where a new record of the owner goes, and where one made with a former code secret may still be. */
  function recordKeys(owner: string): { readonly key: string; readonly formerKeys: readonly string[] } {
    const [key, ...formerKeys] = secrets.ownerKeys(owner);
    const record = (name: string): string => `auth:proof:${purpose}:of:${name}`;
    return { key: record(key), formerKeys: formerKeys.map(record) };
  }
  const tokenKey = (tokenHash: string): string => `auth:proof:${purpose}:token:${tokenHash}`;

  function decode(text: string): StoredChallenge<P> | undefined {
    const value: unknown = JSON.parse(text);
    if (!shape.matches(value) || !("payload" in value) || !payloadShape.matches(value.payload))
      return undefined;
    const { owner, codeHash, tokenHash, expiresAt, payload } = value;
    return { owner, codeHash, tokenHash, expiresAt, payload };
  }

  /** The record as stored, and decoded. */
  async function read(
    key: string,
  ): Promise<{ readonly text: string; readonly stored: StoredChallenge<P> } | undefined> {
    const text = await ephemeral.get(key);
    const stored = text === undefined ? undefined : decode(text);
    return text === undefined || stored === undefined ? undefined : { text, stored };
  }

  function prepare(owner: string, payload: P) {
    const issued = secrets.issue(owner);
    const stored: StoredChallenge<P> = {
      owner,
      codeHash: issued.codeHash,
      tokenHash: issued.tokenHash,
      expiresAt: clock.millis() + ttlSeconds * 1000,
      payload,
    };
    return { issued, text: JSON.stringify(stored) };
  }

  /** The owner's records; more than one only while code secrets are being exchanged. */
  async function readAll(owner: string) {
    const { key, formerKeys } = recordKeys(owner);
    const records = await Promise.all(
      [key, ...formerKeys].map(async (at) => ({ key: at, found: await read(at) })),
    );
    return records.flatMap(({ key: at, found }) => (found === undefined ? [] : [{ key: at, found }]));
  }

  async function take(
    key: string,
    found: { readonly text: string; readonly stored: StoredChallenge<P> },
  ): Promise<TakenChallenge<P> | undefined> {
    const { text, stored } = found;
    if (!(await ephemeral.compareAndTake(key, text))) return undefined;
    return {
      owner: stored.owner,
      payload: stored.payload,
      async restore() {
        // Another node's clock may have written the moment: a challenge never lives longer than it was given.
        const secondsLeft = Math.min(ttlSeconds, (stored.expiresAt - clock.millis()) / 1000);
        // A newer challenge of the same owner wins.
        if (secondsLeft > 0) await ephemeral.setIfAbsent(key, text, secondsLeft);
      },
    };
  }

  async function locate(token: string) {
    const tokenHash = hashToken(token);
    const key = await ephemeral.get(tokenKey(tokenHash));
    const found = key === undefined ? undefined : await read(key);
    // The pointer of a replaced challenge lives on until it expires; the record knows its own token.
    return key === undefined || found?.stored.tokenHash !== tokenHash ? undefined : { key, found };
  }

  return {
    ttlSeconds,

    async issue(owner, payload) {
      const { issued, text } = prepare(owner, payload);
      const { key, formerKeys } = recordKeys(owner);
      await Promise.all([
        ...formerKeys.map((former) => ephemeral.delete(former)),
        ephemeral.set(key, text, ttlSeconds),
        ephemeral.set(tokenKey(issued.tokenHash), key, ttlSeconds),
      ]);
      return { code: issued.code, token: issued.token };
    },

    async issueFirst(owner, payload) {
      const { issued, text } = prepare(owner, payload);
      const { key, formerKeys } = recordKeys(owner);
      const others = await Promise.all(formerKeys.map((former) => ephemeral.get(former)));
      if (others.some((other) => other !== undefined)) return undefined;
      if (!(await ephemeral.setIfAbsent(key, text, ttlSeconds))) return undefined;
      await ephemeral.set(tokenKey(issued.tokenHash), key, ttlSeconds);
      return { code: issued.code, token: issued.token };
    },

    async find(owner) {
      return (await readAll(owner))[0]?.found.stored;
    },

    async findByToken(token) {
      return (await locate(token))?.found.stored;
    },

    async takeByCode(owner, code, admit) {
      for (const { key, found } of await readAll(owner)) {
        if (admit?.(found.stored) === false) continue;
        if (secrets.codeMatches(owner, code, found.stored.codeHash)) return take(key, found);
      }
      return undefined;
    },

    async takeByToken(token, admit) {
      const located = await locate(token);
      if (located === undefined || admit?.(located.found.stored) === false) return undefined;
      return take(located.key, located.found);
    },

    async drop(owner) {
      const { key, formerKeys } = recordKeys(owner);
      const taken = await Promise.all([key, ...formerKeys].map((at) => ephemeral.take(at)));
      return taken.some((text) => text !== undefined);
    },

    async dropCode(owner) {
      for (const { key, found } of await readAll(owner)) {
        const dead = JSON.stringify({ ...found.stored, codeHash: deadCode });
        await ephemeral.compareAndSet(key, found.text, dead);
      }
    },
  };
}
