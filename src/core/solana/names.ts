import type { Identities } from "../identities/index.ts";
import type { Platform } from "../platform.ts";
import type { NameMembers, Solana } from "./types.ts";

/** Milliseconds a name is believed. */
const freshFor = 24 * 3_600_000;
/** Look-ups under way in one process; more names simply stay stale a little longer. */
const maxInFlight = 16;

/** What a look-up found; goes into the link's profile as it is, so that a former name is cleared. */
export interface ResolvedName {
  readonly sns_primary_name: string | null;
  readonly sns_resolution_status: "resolved" | "not_found" | "error";
  readonly sns_error: "resolver_error" | "invalid_sns_name" | null;
}

const notFound: ResolvedName = {
  sns_primary_name: null,
  sns_resolution_status: "not_found",
  sns_error: null,
};

function failed(sns_error: "resolver_error" | "invalid_sns_name"): ResolvedName {
  return { sns_primary_name: null, sns_resolution_status: "error", sns_error };
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Reads the resolver's answer (`favorite-domain` of the SNS proxy). */
export function readName(status: number, body: string): ResolvedName {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    // Handled below: no object has no `s`.
    answer = undefined;
  }
  if (status < 200 || status > 299 || member(answer, "s") !== "ok") return failed("resolver_error");
  const result = member(answer, "result");
  const reverse = member(result, "reverse");
  if (member(result, "stale") === true || typeof reverse !== "string" || reverse.trim() === "")
    return notFound;
  const folded = reverse.trim().toLowerCase();
  const name = folded.endsWith(".sol") ? folded : `${folded}.sol`;
  if (/\s/.test(name)) return failed("invalid_sns_name");
  return { sns_primary_name: name, sns_resolution_status: "resolved", sns_error: null };
}

/** Names of wallets, asked for in the background only. */
export interface WalletNames {
  /** Starts a look-up unless one for the address runs. Never fails. */
  refresh(identity: Parameters<Solana["nameMembers"]>[0]): void;
  members: Solana["nameMembers"];
  /** Resolves when no look-up is under way. */
  settled(): Promise<void>;
}

export function createWalletNames(
  { config, outbound, clock, log }: Pick<Platform, "config" | "outbound" | "clock" | "log">,
  identities: Pick<Identities, "setProfile">,
): WalletNames {
  const { enabled, url, timeoutMs: timeout } = config.solana.nameService;
  const running = new Map<string, Promise<void>>();

  async function resolve(base: string, address: string): Promise<ResolvedName> {
    try {
      const reply = await outbound.request({
        url: `${base.replace(/\/+$/, "")}/${encodeURIComponent(address)}`,
        timeout,
      });
      return readName(reply.status, reply.body.toString("utf8"));
    } catch (error) {
      log.warn({ err: error }, "the name of a wallet could not be looked up");
      return failed("resolver_error");
    }
  }

  const refresh: WalletNames["refresh"] = ({ id, userId, address, profile }) => {
    if (!enabled || url === undefined || running.has(address) || running.size >= maxInFlight) return;
    const work = resolve(url, address)
      .then((found) =>
        identities.setProfile(
          { id, userId },
          { ...profile, ...found, sns_resolved_at: clock.now().toISOString() },
        ),
      )
      .catch((error: unknown) => log.warn({ err: error }, "the name of a wallet could not be stored"))
      .finally(() => running.delete(address));
    running.set(address, work);
  };

  return {
    refresh,
    async settled() {
      await Promise.all(running.values());
    },
    members(identity): NameMembers {
      const { profile } = identity;
      const text = (name: string): string | null => {
        const value = profile[name];
        return typeof value === "string" ? value : null;
      };
      const resolvedAt = text("sns_resolved_at");
      const known = {
        primary_sns_name: text("sns_primary_name"),
        sns_resolved_at: resolvedAt,
        sns_error: text("sns_error"),
      };
      const stored = text("sns_resolution_status");
      if (!enabled && config.contract === "0.73")
        return { ...known, sns_resolution_status: "disabled", sns_stale: false };
      const age = clock.millis() - (resolvedAt === null ? Number.NaN : Date.parse(resolvedAt));
      const status = stored === "resolved" || stored === "not_found" || stored === "error" ? stored : "stale";
      // The later generation knows no `disabled`. Nothing is looked up, so what is known stays as it is: else a page would wait for ever.
      if (!enabled) {
        const lasting = status === "stale" ? "not_found" : status;
        return { ...known, sns_resolution_status: lasting, sns_stale: false };
      }
      if (age <= freshFor && status !== "stale")
        return { ...known, sns_resolution_status: status, sns_stale: false };
      refresh(identity);
      return { ...known, sns_resolution_status: "stale", sns_stale: true };
    },
  };
}
