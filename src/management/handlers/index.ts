import type { Config } from "../../config/config.ts";
import type { Core } from "../../core/index.ts";
import type { HandlerTable } from "../context.ts";
import { adminHandlers } from "./admin.ts";
import { apiKeyHandlers } from "./api-keys.ts";
import { bootstrapHandlers } from "./bootstrap.ts";
import { deploymentHandlers } from "./deployment.ts";
import { groupHandlers } from "./groups.ts";
import { inviteHandlers } from "./invites.ts";
import { maintenanceHandlers } from "./maintenance.ts";
import { passwordlessHandlers } from "./passwordless.ts";
import { passwordHandlers } from "./passwords.ts";
import { providerHandlers } from "./providers.ts";
import { remoteApplicationHandlers } from "./remote-applications.ts";
import { roleHandlers } from "./roles.ts";
import { senderHandlers } from "./senders.ts";
import { sessionHandlers } from "./sessions.ts";
import { tokenHandlers } from "./tokens.ts";
import { userLifecycleHandlers } from "./user-lifecycle.ts";
import { userHandlers } from "./users.ts";

/** One file a topic: `export const groupHandlers: HandlerFactory = ({ groups }) => ({ can: (args, context) => … })`. */
export type HandlerFactory = (core: Core, config: Config) => HandlerTable;

/** In the order of the topics. A method belongs to exactly one of them. */
const handlerFactories: readonly HandlerFactory[] = [
  adminHandlers,
  apiKeyHandlers,
  bootstrapHandlers,
  deploymentHandlers,
  groupHandlers,
  inviteHandlers,
  maintenanceHandlers,
  passwordHandlers,
  passwordlessHandlers,
  providerHandlers,
  remoteApplicationHandlers,
  roleHandlers,
  senderHandlers,
  sessionHandlers,
  tokenHandlers,
  userHandlers,
  userLifecycleHandlers,
];

/** All handlers there are, over one `core`. Throws when two topics claim the same method. */
export function createHandlers(core: Core, config: Config): HandlerTable {
  let table: HandlerTable = {};
  for (const factory of handlerFactories) {
    const part = factory(core, config);
    const twice = Object.keys(part).find((key) => Object.hasOwn(table, key));
    if (twice !== undefined) throw new Error(`two handlers for the management method ${twice}`);
    table = { ...table, ...part };
  }
  return table;
}
