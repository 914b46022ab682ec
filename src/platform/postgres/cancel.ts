import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { DsnHost } from "../../config/dsn.ts";
import type { TlsOptions } from "./encryption.ts";

/** What a cancel request must quote of the connection it is about. */
export interface BackendKey {
  readonly processId: number;
  readonly secret: number;
}

const cancelCode = 80_877_102;
const sslCode = 80_877_103;
const timeoutMs = 5_000;

/**
 * Asks the server to cancel what a connection is running (the protocol's CancelRequest, on a connection of its own and
 * encrypted like the first). Resolves when the server has closed that connection, that is, has acted; never rejects,
 * since a lost request only means that the statement runs to its end.
 */
export function requestCancel(target: DsnHost, tls: TlsOptions, key: BackendKey): Promise<void> {
  return new Promise((done) => {
    const socket = target.host.startsWith("/")
      ? connect(`${target.host}/.s.PGSQL.${target.port}`)
      : connect(target.port, target.host);
    const finish = () => {
      socket.destroy();
      done();
    };
    socket.setTimeout(timeoutMs, finish);
    socket.once("error", finish);
    socket.once("close", finish);
    socket.once("connect", () => {
      if (tls === undefined) return send(socket, key);
      socket.write(words(8, sslCode));
      socket.once("data", (answer) => {
        if (answer.toString() !== "S") return finish();
        const secure = connectTls({ ...tls, socket, host: target.host });
        secure.once("error", finish);
        secure.once("close", finish);
        secure.once("secureConnect", () => send(secure, key));
      });
    });
  });
}

function send(socket: Socket, key: BackendKey): void {
  socket.write(words(16, cancelCode, key.processId, key.secret));
  socket.resume();
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    buffer.writeInt32BE(value | 0, index * 4);
  });
  return buffer;
}
