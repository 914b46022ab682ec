import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { project } from "../support/cluster.ts";

/** In so short a time heaps still find their size: it is errors and lost processes that are looked for, and growth past all measure. */
const short = ["--minutes", "0.4", "--users", "300", "--growth", "100", "--hashing-workers", "1"];

test("a short soak: every request of the mix is answered as it should be, and no process dies", async () => {
  const soak = promisify(execFile)(process.execPath, ["bench/soak/run.ts", ...short], { cwd: project });
  const { stdout } = await soak.catch((error: unknown) => {
    throw new Error(`the soak found problems:\n${String(Reflect.get(Object(error), "stdout"))}`, {
      cause: error,
    });
  });
  expect(stdout).toContain("0.4 min, 0 errors");
  expect(stdout).toContain("nothing failed, nothing grew");
  const rates = /req\/s +(.*)/.exec(stdout)?.[1] ?? "";
  for (const part of ["refresh", "login", "me", "logout", "failed login", "register", "jwks", "delete"]) {
    expect(rates).toMatch(new RegExp(`(^|  )${part} (?!0\\.0)\\d`));
  }
}, 180_000);
