import { mkdirSync, unlinkSync } from "node:fs";
import { connect, createServer, type ListenOptions, type Server } from "node:net";
import { join } from "node:path";

export interface PortLock {
  /** Gives the port free. It is given free as well when the process ends, however it ends. */
  release(): Promise<void>;
}

/** The address is served by somebody else already. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
}

const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Claims an address for this process. Workers listen with SO_REUSEPORT, so a second server on the same port would not fail: the kernel would
 * hand it half of the connections. The claim is a Unix socket (on Linux an abstract one, which belongs to the network namespace as ports do
 * and disappears with its owner; elsewhere a file in `stateDirectory`), which tells the owner's process id to whoever asks; then a
 * bind without SO_REUSEPORT shows whether any other program listens. Throws `PortTaken`, naming the owner where it is known.
 */
export async function acquirePortLock(
  host: string | undefined,
  port: number,
  stateDirectory: string,
): Promise<PortLock> {
  if (port === 0) return { release: () => Promise.resolve() };
  const address = `${host ?? "*"}:${port}`;
  const claim = await claimSocket(claimPath(host, port, stateDirectory), address);
  try {
    await proveFree(host, port, address);
  } catch (error) {
    await closeServer(claim);
    throw error;
  }
  return { release: () => closeServer(claim) };
}

function claimPath(host: string | undefined, port: number, stateDirectory: string): string {
  const any = host === undefined || host === "::" || host === "0.0.0.0";
  const name = `authkit-server-port-${port}${any ? "" : `-${host}`}`;
  if (process.platform === "linux") return `\0${name}`;
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  return join(stateDirectory, `${name}.sock`);
}

async function claimSocket(path: string, address: string): Promise<Server> {
  const claim = createServer((socket) => {
    // An asker that goes away early is no concern of the owner.
    socket.on("error", () => socket.destroy());
    socket.end(String(process.pid));
  });
  claim.unref();
  for (let attempt = 0; ; attempt++) {
    try {
      await listenOn(claim, { path, exclusive: true });
      return claim;
    } catch (error) {
      if (!isInUse(error)) throw error;
    }
    const owner = await askOwner(path);
    if (owner === "nobody" && attempt === 0 && !path.startsWith("\0")) {
      unlinkSync(path);
      continue;
    }
    const who = owner === "nobody" || owner === "silent" ? "" : ` (process id ${owner})`;
    throw new PortTaken(
      `${address} is already served by a running authkit-server${who}; stop that one, or choose another address with AUTHKIT_LISTEN_ADDR`,
    );
  }
}

/** The owner's process id; `nobody` behind a stale socket file, `silent` when the owner does not answer in time. */
function askOwner(path: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(path);
    const settle = (result: string): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => settle("silent"));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.on("end", () => settle(/^\d+$/.test(answer) ? answer : "silent"));
    socket.on("error", () => settle("nobody"));
  });
}

async function proveFree(host: string | undefined, port: number, address: string): Promise<void> {
  const probe = createServer((socket) => socket.destroy());
  try {
    await listenOn(probe, { port, exclusive: true, ...(host === undefined ? {} : { host }) });
  } catch (error) {
    if (!isInUse(error)) throw error;
    throw new PortTaken(
      `${address} is in use by another program (\`ss -ltnp 'sport = :${port}'\` names it); stop that one, or choose another address with AUTHKIT_LISTEN_ADDR`,
      { cause: error },
    );
  }
  await closeServer(probe);
}

function listenOn(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
