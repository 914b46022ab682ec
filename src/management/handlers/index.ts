import type { Core } from "../../core/index.ts";
import type { HandlerTable } from "../context.ts";

/** One file a topic: `export const usersHandlers: HandlerFactory = (core) => ({ createUser: (args, context) => … })`. */
export type HandlerFactory = (core: Core) => HandlerTable;

/** In the order of the topics. A method belongs to exactly one of them. */
export const handlerFactories: readonly HandlerFactory[] = [];

/** All handlers there are, over one `core`. Throws when two topics claim the same method. */
export function createHandlers(core: Core): HandlerTable {
  let table: HandlerTable = {};
  for (const factory of handlerFactories) {
    const part = factory(core);
    const twice = Object.keys(part).find((key) => Object.hasOwn(table, key));
    if (twice !== undefined) throw new Error(`two handlers for the management method ${twice}`);
    table = { ...table, ...part };
  }
  return table;
}
