import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A free loopback port. Below those that the kernel gives to outgoing connections, one of which would sooner or later have it before whoever
 * asked for it listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
