/**
 * uWebSockets.js with nothing around it: `/static` sends the bytes of a file, `POST /user` answers one statement's row as JSON.
 * Prints its port when it listens.
 */
import { readFileSync } from "node:fs";
import { userStore } from "../../src/core/users/store.ts";
import { loadNative } from "../../src/platform/http/uws/load.ts";
import { openDatabase, programArguments } from "./database.ts";

const [url = "", file = ""] = programArguments("bare-server <database url> <file>", 2);
const database = await openDatabase(url, 10);
const bytes = readFileSync(file);
const native = loadNative(16_384);
const app = native.App();

app.any("/static", (response) => {
  response.writeStatus("200 OK").writeHeader("content-type", "application/json").end(bytes);
});

app.any("/user", (response) => {
  let gone = false;
  const parts: Buffer[] = [];
  response.onAborted(() => {
    gone = true;
  });
  response.onData((chunk, last) => {
    parts.push(Buffer.from(chunk.slice(0)));
    if (!last) return;
    const { email } = JSON.parse(Buffer.concat(parts).toString("utf8"));
    userStore.byEmail(database, String(email)).then(
      (row) => {
        if (gone) return;
        response.cork(() => {
          response
            .writeStatus("200 OK")
            .writeHeader("content-type", "application/json")
            .end(JSON.stringify({ ok: true, result: row }));
        });
      },
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
});

app.listen("127.0.0.1", 0, (socket) => {
  if (socket === false) throw new Error("cannot listen");
  console.log(native.us_socket_local_port(socket));
});
process.on("SIGTERM", () => process.exit(0));
