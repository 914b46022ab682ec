import { dto, everyGeneration, field, type Infer, nullable, string, time } from "../types.ts";

/** A signed-in device. */
export const Session = dto("Session", everyGeneration, {
  id: field("ID", string),
  familyId: field("FamilyID", string),
  createdAt: field("CreatedAt", time),
  lastAuthenticatedAt: field("LastAuthenticatedAt", nullable(time)),
  lastUsedAt: field("LastUsedAt", time),
  expiresAt: field("ExpiresAt", nullable(time)),
  revokedAt: field("RevokedAt", nullable(time)),
  userAgent: field("UserAgent", nullable(string)),
  ipAddr: field("IPAddr", nullable(string)),
});
export type Session = Infer<typeof Session>;
