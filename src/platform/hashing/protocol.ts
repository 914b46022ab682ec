import type { ChannelReply, ChannelRequest } from "../channel/port.ts";
import type { StoredHash, VerifyResult } from "./port.ts";

/** What an http, management or jobs worker asks of a hashing process. The password travels as the body, never in the head. */
export type HashCall =
  | { readonly operation: "hash"; readonly client: string }
  | { readonly operation: "verify"; readonly client: string; readonly stored: StoredHash }
  | { readonly operation: "dummy"; readonly client: string };

export type HashAnswer =
  | { readonly status: "hashed"; readonly hash: string }
  | { readonly status: "verified"; readonly result: VerifyResult }
  | { readonly status: "spent" }
  | { readonly status: "busy"; readonly retryAfter: number };

const empty = Buffer.alloc(0);

export function encodeCall(call: HashCall, password: Buffer): ChannelRequest {
  const { operation, client } = call;
  if (operation !== "verify") return { head: { operation, client }, body: password };
  const { hash, algorithm, params } = call.stored;
  return { head: { operation, client, hash, algorithm, params: params ?? null }, body: password };
}

/** @throws Error for a head this version does not know. */
export function decodeCall(request: ChannelRequest): HashCall {
  const { operation, client, hash, algorithm, params } = request.head;
  if (typeof client !== "string") throw new Error("hash request without client");
  if (operation === "hash" || operation === "dummy") return { operation, client };
  if (operation === "verify" && typeof hash === "string" && typeof algorithm === "string") {
    return { operation, client, stored: { hash, algorithm, params } };
  }
  throw new Error("unknown hash request");
}

export function encodeAnswer(answer: HashAnswer): ChannelReply {
  if (answer.status !== "verified") return { head: { ...answer }, body: empty };
  return { head: { status: answer.status, ...answer.result }, body: empty };
}

/** @throws Error for a reply this version does not know. */
export function decodeAnswer(reply: ChannelReply): HashAnswer {
  const { status, hash, match, rehash, retryAfter } = reply.head;
  if (status === "hashed" && typeof hash === "string") return { status, hash };
  if (status === "verified" && typeof match === "boolean" && typeof rehash === "boolean") {
    return { status, result: { match, rehash } };
  }
  if (status === "spent") return { status };
  if (status === "busy" && typeof retryAfter === "number") return { status, retryAfter };
  throw new Error("unknown hash reply");
}
