import type { TestReply } from "./http.ts";

/** Status and code of a reply, for a comparison that says both. */
export function outcome(reply: TestReply): readonly [number, string | undefined] {
  return [reply.status, reply.code];
}

/** The reply, which must be a success. */
export function must(reply: TestReply): TestReply {
  if (reply.status >= 300) throw new Error(`${reply.status} ${reply.text}`);
  return reply;
}
