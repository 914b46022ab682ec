import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const core = join(import.meta.dirname, "../../../src/core");

function files(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? files(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** Every named statement of the capabilities, as it stands in the source. */
const statements = new Map(
  files(core).flatMap((path) =>
    [
      ...readFileSync(path, "utf8").matchAll(
        /(?:sql|lookup)\(\s*"([\w.]+)",\s*\(s[^)]*\) =>\s*(?:\{[\s\S]*?return )?`([\s\S]*?)`,?\s*\)/g,
      ),
    ].map(([, name = "", text = ""]) => [name, text.replace(/\s+/g, " ")] as const),
  ),
);

/** Statements of sign-in, refresh, `/me` and sign-out, and the key each is found by. */
const hot: readonly (readonly [string, RegExp])[] = [
  ["users.byEmail", /u\.email = \$1/],
  ["users.byPhone", /u\.phone_number = \$1/],
  ["users.byUsername", /u\.username = \$1/],
  ["users.byId", /u\.id = \$1/],
  ["sessions.selectSubject", /u\.id = \$1/],
  ["sessions.openSession", /WHERE id = \$1 AND xmin = \$2/],
  ["sessions.selectByCurrent", /t\.current_token_hash = \$1/],
  ["sessions.selectByPrevious", /t\.previous_token_hash = \$1/],
  ["sessions.rotate", /t\.user_id = \$2/],
  ["sessions.selectLive", /user_id = \$1/],
  ["sessions.prove", /id = \$1 AND user_id = \$2/],
  ["mfa.selectState", /\$1::uuid AS user_id/],
  ["mfa.useTotpStep", /user_id = \$2/],
  ["mfa.useBackupCode", /user_id = \$1/],
  ["profile.read", /u\.id = \$1/],
  ["identities.find", /l\.issuer = \$1 AND l\.subject = \$2/],
  ["apiKeys.byKeyId", /k\.key_id = \$1/],
];

describe("statements of the sign-in path", () => {
  test("are all known here", () => {
    expect(statements.size).toBeGreaterThan(100);
  });

  test.each(hot)("%s is found by one user, session or token", (name, key) => {
    const text = statements.get(name);
    expect(text, `${name} is no statement any more`).toBeDefined();
    expect(text).toMatch(key);
    // Nothing that has to look at everybody.
    expect(text).not.toMatch(
      /ORDER BY (created_at|last_login)|OFFSET \$\d+ LIMIT|count\(\*\) FROM \S+users\b/i,
    );
  });
});
