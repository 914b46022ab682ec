import type { ManagementConfig } from "../config/config.ts";
import { type Method, type MethodKey, methodRows } from "../contract/methods/index.ts";
import { type CallReply, errorReply } from "./reply.ts";
import { routeCall } from "./routing.ts";
import { createTokenCheck } from "./tokens.ts";

/** Bytes of body accepted unless a method says otherwise. */
export const defaultBodyLimit = 1_048_576;

/** The head of a request, as far as admission looks at it. */
export interface CallHead {
  readonly verb: string;
  /** Escaped, without the query. */
  readonly path: string;
  readonly query: string;
  /** First `Authorization` value. */
  readonly authorization: string | undefined;
}

export interface AdmittedCall {
  readonly key: MethodKey;
  readonly method: Method;
  readonly bodyLimit: number;
}

export type Admission =
  | { readonly kind: "admitted"; readonly call: AdmittedCall }
  | { readonly kind: "refused"; readonly reply: CallReply }
  /** Wrong or no bearer: to be charged to the client's address, then answered with `reply`. */
  | { readonly kind: "unauthorized"; readonly reply: CallReply };

/**
 * Decides about a call by its head alone, in the order path and verb → bearer → method name, so that nobody without the token makes the
 * server read a body or learns a method's name.
 */
export function createAdmission(config: ManagementConfig): (head: CallHead) => Admission {
  const check = createTokenCheck(config);
  const calls: ReadonlyMap<string, AdmittedCall> = new Map(
    methodRows.map(([key, method]) => [
      method.name,
      { key, method, bodyLimit: method.bodyLimit ?? defaultBodyLimit },
    ]),
  );
  const unknown: Admission = { kind: "refused", reply: errorReply(404, "unknown_method") };
  const unauthorized: Admission = { kind: "unauthorized", reply: errorReply(401, "unauthorized") };
  const beyondGrant: Admission = { kind: "refused", reply: errorReply(401, "unauthorized") };
  return (head) => {
    const routing = routeCall(head.verb, head.path, head.query);
    if ("reply" in routing) return { kind: "refused", reply: routing.reply };
    const grant = check(head.authorization);
    if (grant === "none") return unauthorized;
    const call = calls.get(routing.name);
    if (grant === "introspection" && call?.method.introspection !== true) return beyondGrant;
    return call === undefined ? unknown : { kind: "admitted", call };
  };
}
