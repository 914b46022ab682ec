import type { Transaction } from "../postgres/port.ts";

export interface EnqueueOptions {
  /** A second job with the same key is not enqueued while the first is alive. */
  readonly key?: string;
  /** Enqueue in the caller's transaction: no commit, no job. */
  readonly tx?: Transaction;
  readonly startAfter?: Date;
  /** Seconds after which an unprocessed job is dropped (the code it carries is dead by then). */
  readonly expireInSeconds?: number;
  readonly retryLimit?: number;
}

/** Durable jobs, run by the jobs worker (pg-boss). */
export interface JobQueue {
  enqueue(queue: string, payload: object, options?: EnqueueOptions): Promise<void>;
  /** Whether a job with this key has been enqueued: it is alive, or came to its end during the last hour. */
  holds(queue: string, key: string): Promise<boolean>;
  close(): Promise<void>;
}
