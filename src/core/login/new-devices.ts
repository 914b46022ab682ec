import type { Log } from "../../platform/log/port.ts";
import { type SqlValue, sql } from "../../platform/postgres/port.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow } from "../users/types.ts";
import { deviceKey, deviceName } from "./device.ts";

/** Sign-ins looked back at. */
const remembered = 200;

// What is left of ended sessions too: an adopted account has sessions and no history.
const selectAgents = sql(
  "login.selectAgents",
  (s) => `
  SELECT DISTINCT agent FROM (
    (SELECT user_agent AS agent FROM ${s}.session_events
     WHERE user_id = $1::uuid::text AND event = 'session_created' AND session_id <> $2::uuid::text
     ORDER BY occurred_at DESC LIMIT $3)
    UNION ALL
    (SELECT user_agent FROM ${s}.refresh_sessions WHERE user_id = $1::uuid AND id <> $2::uuid)
  ) AS earlier WHERE agent IS NOT NULL`,
);

/** Watches for sign-ins by devices an account has not been used with. */
export interface NewDevices {
  /** Tells the owner when the session just opened is of such a device. Never fails. */
  notice(user: UserRow, sessionId: string, context: CallContext): Promise<void>;
}

/**
 * A device is known by what its `User-Agent` says without version numbers, so that an update is no new device. The first sign-in of an account
 * is none either, nor one by a client that does not introduce itself.
 */
export function createNewDevices(
  platform: Pick<Platform, "config" | "database"> & { readonly log: Log },
  notices: Pick<Notices, "tellNewDevice">,
): NewDevices {
  const { config, database, log } = platform;

  async function earlierAgents(userId: string, sessionId: string): Promise<readonly string[]> {
    const values: readonly SqlValue[] = [userId, sessionId, remembered];
    return (await database.rows<{ agent: string }>(selectAgents, values)).map(({ agent }) => agent);
  }

  return {
    async notice(user, sessionId, context) {
      const { userAgent = "" } = context;
      const device = deviceKey(userAgent);
      if (!config.sessions.newDeviceNotice || device === "") return;
      try {
        const earlier = await earlierAgents(user.id, sessionId);
        if (earlier.length === 0 || earlier.some((agent) => deviceKey(agent) === device)) return;
        await notices.tellNewDevice(user, deviceName(userAgent), context);
      } catch (err) {
        log.warn({ err }, "whether a sign-in was of a new device could not be found out");
      }
    },
  };
}
