import type pg from "pg";
import { api } from "./accounts.ts";
import type { TestCluster } from "./cluster.ts";

/** An access token of the account's session whose last authentication was 20 minutes ago. */
export async function staleToken(
  cluster: TestCluster,
  sql: pg.Client,
  account: { readonly username: string; readonly refreshToken: string },
): Promise<string> {
  await sql.query(
    `UPDATE profiles.refresh_sessions SET last_authenticated_at = last_authenticated_at - interval '20 minutes'
     WHERE user_id = (SELECT id FROM profiles.users WHERE username = $1)`,
    [account.username],
  );
  const reply = await api(cluster, "/token", {
    body: { grant_type: "refresh_token", refresh_token: account.refreshToken },
  });
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  return String(reply.body["access_token"]);
}
