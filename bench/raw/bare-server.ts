/**
 * uWebSockets.js with nothing around it: `/static` sends a file's answer, head and body the same bytes as ours; `POST /user` answers one
 * statement's row as JSON; `POST /write` changes a row and adds one to the audit trail.
 * Prints its port when it listens.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { auditStore } from "../../src/core/audit/store.ts";
import { userStore } from "../../src/core/users/store.ts";
import { loadNative } from "../../src/platform/http/uws/load.ts";
import { openDatabase, programArguments } from "./database.ts";

const [url = "", file = ""] = programArguments("bare-server <database url> <file>", 2);
const database = await openDatabase(url, 10);
const answer: { readonly headers: readonly [name: string, value: string][]; readonly body: string } =
  JSON.parse(readFileSync(file, "utf8"));
const bytes = Buffer.from(answer.body);
// All in one write, the fastest there is.
const [[first, value] = ["", ""], ...others] = answer.headers;
const lines = [value, ...others.map(([name, text]) => `${name}: ${text}`)].join("\r\n");
const native = loadNative(16_384);
const app = native.App();

app.any("/static", (response) => {
  response.writeHeader(first, lines).end(bytes);
});

/** Reads a JSON body, works, answers with the result. */
function serve(path: string, work: (body: Record<string, unknown>) => Promise<unknown>): void {
  app.any(path, (response) => {
    let gone = false;
    const parts: Buffer[] = [];
    response.onAborted(() => {
      gone = true;
    });
    response.onData((chunk, last) => {
      parts.push(Buffer.from(chunk.slice(0)));
      if (!last) return;
      work(JSON.parse(Buffer.concat(parts).toString("utf8"))).then(
        (result) => {
          if (gone) return;
          response.cork(() => {
            response
              .writeStatus("200 OK")
              .writeHeader("content-type", "application/json")
              .end(JSON.stringify({ ok: true, result }));
          });
        },
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  });
}

serve("/user", ({ email }) => userStore.byEmail(database, String(email)));
serve("/write", async ({ id }) => {
  const at = new Date();
  await userStore.setEmailVerified(database, String(id), true, at);
  const occasion = { at, ip: null, userAgent: null, actor: "management", requestId: randomUUID() };
  await auditStore.addRecords(database, occasion, {
    ...{ ids: [randomUUID()], actions: ["management.called"], targets: [`user:${id}`], outcomes: ["ok"] },
    details: ['{"method":"SetEmailVerified"}'],
  });
  return null;
});

app.listen("127.0.0.1", 0, (socket) => {
  if (socket === false) throw new Error("cannot listen");
  console.log(native.us_socket_local_port(socket));
});
process.on("SIGTERM", () => process.exit(0));
