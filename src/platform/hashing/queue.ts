import { mayWait, type Patience } from "./patience.ts";

/** Refused because too much is waiting already. */
export class HashQueueFull extends Error {
  override readonly name = "HashQueueFull";
  /** Whole seconds until what waits now will probably be done; at least 1. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super("too many password hashes are waiting");
    this.retryAfter = retryAfter;
  }
}

export interface HashQueueOptions {
  /** How many may wait, across all clients; the one being computed does not count. */
  readonly limit: number;
  /** Bounds a queue that stands as well; without it, only the limit counts. */
  readonly patience?: Patience;
  /** Told the number waiting whenever it changes. */
  readonly onDepth?: (waiting: number) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/**
 * Runs one piece of work at a time, because hashes in flight beyond the cores slow each other down. What waits is bounded by its number,
 * and more closely where the queue has not been empty for a while, by how much is refused and what one takes on average. It is served round-robin over the clients (http
 * workers) and first come, first served within each. A client that floods the queue gives way to the others: when there is no room, the last
 * comer of the client with most waiting is refused.
 */
export interface HashQueue {
  /**
   * Resolves as `work` does. Rejects with {@link HashQueueFull}, or with the signal's reason when it aborts before the work
   * began: then the work never runs.
   */
  run<T>(client: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly waiting: number;
}

interface Entry {
  readonly start: () => Promise<void>;
  readonly refuse: (error: unknown) => void;
}

/** Weight of the newest duration in the running average, once there have been enough; before, all weigh the same. */
const smoothing = 0.1;
/** Weight of the newest outcome in the share of refusals: a few dozen count. */
const outcomeWeight = 0.04;
/** An overload is over when nobody has been refused for this long. */
const calmMs = 1_000;

export function createHashQueue(options: HashQueueOptions): HashQueue {
  const now = options.now ?? (() => performance.now());
  /** In the order of service: whoever was served goes to the end. */
  const lines = new Map<string, Entry[]>();
  let waiting = 0;
  let busy = false;
  /** Milliseconds; a guess that counts as one hash. */
  let average = 30;
  let counted = 1;
  /** When something began to wait, as long as something does; a moment without does not end an overload. */
  let waitingSince = 0;
  /** Which part of what came lately was refused, since something began to wait. */
  let refused = 0;
  let lastRefusal = Number.NEGATIVE_INFINITY;

  const changeDepth = (by: 1 | -1): void => {
    if (waiting === 0 && now() - lastRefusal > calmMs) {
      waitingSince = now();
      refused = 0;
    }
    waiting += by;
    options.onDepth?.(waiting);
  };

  const retryAfter = (): number => Math.max(1, Math.ceil((waiting * average) / 1000));

  function isFull(): boolean {
    if (!busy) return false;
    if (waiting >= options.limit) return true;
    const { patience } = options;
    return patience !== undefined && waiting >= mayWait(patience, average, now() - waitingSince, refused);
  }

  function add(client: string, entry: Entry): void {
    const line = lines.get(client);
    if (line === undefined) lines.set(client, [entry]);
    else line.push(entry);
    changeDepth(1);
  }

  function remove(client: string, entry: Entry): boolean {
    const line = lines.get(client);
    const at = line?.indexOf(entry) ?? -1;
    if (line === undefined || at < 0) return false;
    line.splice(at, 1);
    if (line.length === 0) lines.delete(client);
    changeDepth(-1);
    return true;
  }

  /** Makes room for one of `client`; false when no other client holds more than it would. */
  function makeRoom(client: string): boolean {
    let longest: [string, Entry[]] | undefined;
    for (const line of lines) if (longest === undefined || line[1].length > longest[1].length) longest = line;
    if (longest === undefined || longest[1].length <= (lines.get(client)?.length ?? 0) + 1) return false;
    const last = longest[1].at(-1);
    if (last === undefined || !remove(longest[0], last)) return false;
    last.refuse(new HashQueueFull(retryAfter()));
    return true;
  }

  function next(): void {
    if (busy) return;
    const head = lines.entries().next();
    if (head.done === true) return;
    const [client, line] = head.value;
    const entry = line.shift();
    lines.delete(client);
    if (line.length > 0) lines.set(client, line);
    if (entry === undefined) return;
    changeDepth(-1);
    busy = true;
    const began = now();
    void entry.start().finally(() => {
      counted++;
      average += Math.max(smoothing, 1 / counted) * (now() - began - average);
      busy = false;
      next();
    });
  }

  return {
    run<T>(client: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const full = isFull();
        refused += outcomeWeight * (Number(full) - refused);
        if (full) lastRefusal = now();
        if (full && !makeRoom(client)) return reject(new HashQueueFull(retryAfter()));
        const onAbort = (): void => {
          if (remove(client, entry)) reject(signal?.reason);
        };
        const entry: Entry = {
          start() {
            signal?.removeEventListener("abort", onAbort);
            return work().then(resolve, reject);
          },
          refuse(error) {
            signal?.removeEventListener("abort", onAbort);
            reject(error);
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        add(client, entry);
        next();
      });
    },
    get waiting() {
      return waiting;
    },
  };
}
