import type { TestCluster } from "./cluster.ts";
import { request } from "./http.ts";

/** `AUTHKIT_DEV_MINT_SECRET` of clusters whose tests sign tokens for anybody. */
export const mintSecret = "test-mint-secret-0123456789";

/** A claim of a token as text; of a list the first. */
export function claimOf(token: string, name: string): string {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return String([Reflect.get(claims, name)].flat()[0]);
}

/**
 * An access token that belongs to no session and says nothing about an authentication, so that it is never fresh. `like` is a token of the
 * cluster, for its audience.
 */
export async function minted(
  cluster: TestCluster,
  subject: string,
  like: string,
  seconds = 600,
): Promise<string> {
  const reply = await request(`${cluster.api}/dev/mint`, {
    headers: { "x-dev-secret": mintSecret },
    body: { sub: subject, aud: claimOf(like, "aud"), expires_in_seconds: seconds },
  });
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  return String(reply.body["token"]);
}
