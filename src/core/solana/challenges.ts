import { AuthError } from "../../contract/errors/index.ts";
import { parseUsername } from "../identifiers/index.ts";
import type { Platform } from "../platform.ts";
import { hashToken } from "../verification/secrets.ts";
import { decodeAddress, encodeBase58 } from "./base58.ts";
import { type SignInInput, signInText } from "./message.ts";
import type { Challenge, ChallengeRequest } from "./types.ts";

/** Seconds a challenge can be answered. */
const lifetime = 900;

/** A challenge as it waits for its answer. */
export interface ChallengeRecord {
  readonly address: string;
  readonly username?: string | undefined;
  readonly inviteHash?: string | undefined;
  readonly linkTo?: string | undefined;
  readonly issued_at: string;
  readonly expires_at: string;
  readonly input: SignInInput;
}

export interface Challenges {
  issue(request: ChallengeRequest): Promise<Challenge>;
  /** The record, once: of many callers exactly one gets it. */
  take(nonce: string): Promise<ChallengeRecord | undefined>;
}

function seconds(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
}

/** An IPv6 host without the brackets it has in a URL. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

const key = (nonce: string): string => `auth:siws:nonce:${nonce}`;

export function createChallenges({
  config,
  ephemeral,
  clock,
  random,
}: Pick<Platform, "config" | "ephemeral" | "clock" | "random">): Challenges {
  return {
    async issue(request) {
      const address = request.address.trim();
      if (address === "") throw new AuthError("address_required");
      if (decodeAddress(address) === undefined) throw new AuthError("invalid_address");
      const wanted = request.username?.trim() ?? "";
      const username =
        wanted === ""
          ? undefined
          : parseUsername(wanted, "interactive", config.registration.reservedUsernames);
      const invite = request.inviteToken?.trim() ?? "";
      const now = clock.epochSeconds();
      const input: SignInInput = {
        domain: bare(config.solana.domain),
        address,
        uri: config.baseUrl,
        version: "1",
        chainId: config.solana.network,
        nonce: encodeBase58(random.bytes(16)),
        issuedAt: seconds(now),
        expirationTime: seconds(now + lifetime),
      };
      const record: ChallengeRecord = {
        address,
        username,
        inviteHash: invite === "" ? undefined : hashToken(invite),
        linkTo: request.linkTo,
        issued_at: input.issuedAt,
        expires_at: seconds(now + lifetime),
        input,
      };
      await ephemeral.set(key(input.nonce), JSON.stringify(record), lifetime);
      return { nonce: input.nonce, issuedAt: input.issuedAt, message: signInText(input) };
    },

    async take(nonce) {
      // Nonces of ours are short; nothing longer is worth a look-up.
      if (nonce === "" || nonce.length > 64) return undefined;
      const text = await ephemeral.take(key(nonce));
      if (text === undefined) return undefined;
      const record: ChallengeRecord = JSON.parse(text);
      return record;
    },
  };
}
