/** Rotates sessions with the server's own two statements in a bare loop; prints rotations a second. */
import { randomBytes } from "node:crypto";
import { hashRefreshToken, sealSuccessor } from "../../src/core/sessions/refresh-token.ts";
import { sessionStore } from "../../src/core/sessions/store.ts";
import { refreshTokenOf } from "../schema.ts";
import { openDatabase, programArguments } from "./database.ts";

const [url = "", issuer = "", seconds = "", connections = "", first = ""] = programArguments(
  "refresh-loop <database url> <issuer> <seconds> <connections> <first session>",
  5,
);
const database = await openDatabase(url, Number(connections));
/** Until the code is compiled and the statements are prepared on every connection, nothing counts. */
const warmUpMs = 1_500;
const counted = performance.now() + warmUpMs;
const deadline = counted + Number(seconds) * 1_000;
let rotations = 0;

async function loop(session: number): Promise<void> {
  let token = refreshTokenOf(session);
  while (performance.now() < deadline) {
    const hash = hashRefreshToken(token);
    const at = new Date();
    const row = await sessionStore.byCurrent(database, hash, issuer, [], at);
    if (row === undefined) throw new Error(`session ${session} is gone`);
    const next = randomBytes(32).toString("base64url");
    const sealed = sealSuccessor(token, next);
    const successor = { hash: hashRefreshToken(next), sealed };
    await sessionStore.rotate(database, row, hash, successor, { at, userAgent: null, ip: "127.0.0.1" });
    token = next;
    if (performance.now() >= counted) rotations++;
  }
}

await Promise.all(Array.from({ length: Number(connections) }, (_, index) => loop(Number(first) + index)));
await database.close();
console.log(rotations / Number(seconds));
