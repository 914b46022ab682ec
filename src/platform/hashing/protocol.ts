import type { ChannelReply, ChannelRequest } from "../channel/port.ts";
import { maxHashLength } from "./formats/encoding.ts";
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

/** Longer than any known name, so that cutting never makes one of an unknown. */
const maxAlgorithmLength = 64;
const maxParamsLength = 4096;

const empty = Buffer.alloc(0);

export function encodeCall(call: HashCall, password: Buffer): ChannelRequest {
  const { operation, client } = call;
  if (operation !== "verify") return { head: { operation, client }, body: password };
  const { hash, algorithm, params } = call.stored;
  // Heads are small. What is too long to be a hash stays too long; parameters nobody could need are as good as none.
  const head = {
    operation,
    client,
    hash: hash.slice(0, maxHashLength + 1),
    algorithm: algorithm.slice(0, maxAlgorithmLength),
    params: JSON.stringify(params ?? null).length > maxParamsLength ? null : (params ?? null),
  };
  return { head, body: password };
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
