import { Pool } from "undici";

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What one kind of request met so far. */
export interface Tally {
  succeeded: number;
  failed: number;
  /** The first few failures, in words. */
  readonly samples: string[];
}

const samplesKept = 5;
const timeoutMs = 20_000;

let host = 0;

/** A client address not used before, so that limits by address apply as they do to a crowd. */
function nextAddress(): string {
  host++;
  return `9.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`;
}

/** The clients of a soak: keep-alive connections, each request of another address, each answer judged by its status. */
export class SoakClient {
  readonly tallies = new Map<string, Tally>();
  readonly #pool: Pool;

  constructor(url: string, connections: number) {
    this.#pool = new Pool(url, { connections, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  get failures(): number {
    return [...this.tallies.values()].reduce((sum, { failed }) => sum + failed, 0);
  }

  tally(name: string): Tally {
    const present = this.tallies.get(name);
    if (present !== undefined) return present;
    const made: Tally = { succeeded: 0, failed: 0, samples: [] };
    this.tallies.set(name, made);
    return made;
  }

  /** Asks, and counts under `name` whether the answer has the status it should; undefined when it has another, or none came. */
  async ask(
    name: string,
    wanted: number,
    request: {
      readonly path: string;
      /** Default GET, with a body POST. */
      readonly method?: "DELETE";
      readonly body?: unknown;
      readonly bearer?: string;
    },
  ): Promise<Answer | undefined> {
    const tally = this.tally(name);
    try {
      const { statusCode, body } = await this.#pool.request({
        path: request.path,
        method: request.method ?? (request.body === undefined ? "GET" : "POST"),
        headers: {
          "x-forwarded-for": nextAddress(),
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
          ...(request.bearer === undefined ? {} : { authorization: `Bearer ${request.bearer}` }),
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
      });
      const text = await body.text();
      if (statusCode !== wanted) throw new Error(`${statusCode} instead of ${wanted}: ${text.slice(0, 200)}`);
      tally.succeeded++;
      const parsed: unknown = text.startsWith("{") ? JSON.parse(text) : {};
      return { status: statusCode, body: Object.fromEntries(Object.entries(Object(parsed))) };
    } catch (error) {
      tally.failed++;
      if (tally.samples.length < samplesKept) tally.samples.push(String(error));
      return undefined;
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
