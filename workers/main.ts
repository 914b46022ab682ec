/** Entry of every forked process: finds out what it is and runs it. */
import { keepCompiledCode } from "../src/platform/compile-cache.ts";
import { identityVariable, parseIdentity } from "./supervision/messages.ts";

keepCompiledCode();
const identity = parseIdentity(process.env[identityVariable]);
switch (identity?.kind) {
  case "http":
    await (await import("./http.ts")).runHttpWorker(identity.slot);
    break;
  case "management":
    await (await import("./management.ts")).runManagementWorker(identity.slot);
    break;
  case "hashing":
    await (await import("./hashing.ts")).runHashingWorker(identity.slot);
    break;
  case "jobs":
    await (await import("./jobs.ts")).runJobsWorker(identity.slot);
    break;
  default:
    throw new Error(
      "this file is run by the primary process only; start the server with `authkit-server serve`",
    );
}
