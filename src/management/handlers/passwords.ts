import type { HandlerFactory } from "./index.ts";

/** Stored passwords. */
export const passwordHandlers: HandlerFactory = ({ passwordChanges }) => ({
  changePassword: ({ userId, current, new: next, keepSessionId }, { callContext }) =>
    passwordChanges.change(userId, { kind: "current", password: current }, next, keepSessionId, callContext),
  upsertPasswordHash: ({ userId, hash, algo, params }, { callContext }) =>
    passwordChanges.importHash(userId, hash, algo, params, callContext),
  verifyUserPassword: ({ userId, pass }, { callContext }) =>
    passwordChanges.matches(userId, pass, callContext),
});
