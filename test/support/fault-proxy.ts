import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP relay on loopback that can treat its connections badly. */
export interface FaultProxy {
  readonly port: number;
  /**
   * Forgets the connections there are, as a firewall does: nothing passes any more in either direction, and neither side is told. New ones work.
   */
  forget(): void;
  /** How many connections are being relayed. */
  live(): number;
  stop(): Promise<void>;
}

interface Relay {
  readonly near: Socket;
  readonly far: Socket;
}

export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const relays = new Set<Relay>();
  const forgotten: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(targetPort, "127.0.0.1");
    const relay = { near, far };
    relays.add(relay);
    near.on("data", (chunk: Buffer) => relays.has(relay) && far.write(chunk));
    far.on("data", (chunk: Buffer) => relays.has(relay) && near.write(chunk));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => undefined);
      from.on("close", () => {
        if (relays.delete(relay)) to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  return {
    port: address.port,
    forget() {
      for (const { near, far } of relays) forgotten.push(near, far);
      relays.clear();
    },
    live: () => relays.size,
    async stop() {
      for (const { near, far } of relays) forgotten.push(near, far);
      relays.clear();
      for (const socket of forgotten) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
