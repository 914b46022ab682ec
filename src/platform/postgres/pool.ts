import type { Log } from "../log/port.ts";
import type { Connection } from "./connection.ts";
import { unavailable } from "./failures.ts";
import type { PoolState } from "./port.ts";
import { createSilenceWatch } from "./silence.ts";

export interface PoolOptions {
  readonly max: number;
  readonly min: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  /** How long a caller waits for a connection. */
  readonly waitTimeoutMs: number;
  readonly open: () => Promise<Connection>;
  /** How long somebody waited who did not get a connection at once, or none in the end. */
  readonly onWait: (milliseconds: number) => void;
  /** Of several servers only one can be the right one at a time. */
  readonly soleServer: boolean;
  readonly log: Log;
}

interface Waiter {
  give(connection: Connection): void;
  refuse(error: unknown): void;
}

const maintenanceMs = 500;
const closeTimeoutMs = 10_000;
/** After a failed attempt no new one starts for this long, so that an outage is not met with a storm of connects. */
const restMs = 100;

/**
 * Connections to one database. The one used last is lent first, so that surplus ones fall idle and close; waiting callers
 * are served in order. A lost connection leaves at once and nothing but new attempts decides whether the database is back.
 */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #idle: Connection[] = [];
  readonly #lent = new Set<Connection>();
  readonly #waiting = new Set<Waiter>();
  readonly #timer: NodeJS.Timeout;
  readonly #silence: ReturnType<typeof createSilenceWatch>;
  #opening = 0;
  #restUntil = 0;
  #lastFailure: unknown;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { open, soleServer, log } = options;
    this.#silence = createSilenceWatch({ open, soleServer, log, drop: (dead) => this.#abandon(dead) });
    this.#timer = setInterval(() => this.#maintain(), maintenanceMs);
    this.#timer.unref();
  }

  get state(): PoolState {
    return {
      total: this.#idle.length + this.#lent.size + this.#opening,
      idle: this.#idle.length,
      waiting: this.#waiting.size,
    };
  }

  /**
   * Lends a connection; give it back with {@link release}.
   *
   * @throws AuthError `service_unavailable` when none can be had in time; the signal's reason when it aborts first.
   */
  acquire(signal?: AbortSignal): Connection | Promise<Connection> {
    signal?.throwIfAborted();
    if (this.#closed) throw unavailable(new Error("the pool is closed"));
    const connection = this.#idle.pop();
    if (connection !== undefined) {
      this.#lent.add(connection);
      return connection;
    }
    return this.#wait(signal);
  }

  release(connection: Connection): void {
    this.#lent.delete(connection);
    if (!connection.broken && !this.#closed && !this.#isOld(connection)) {
      this.#offer(connection);
      return;
    }
    if (!connection.broken) this.#end(connection);
    this.#afterLoss();
  }

  /** Refuses new callers, lets lent connections finish, then closes all. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const waiter of [...this.#waiting]) waiter.refuse(unavailable(new Error("the pool is closed")));
    if (this.#lent.size > 0 || this.#opening > 0) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, closeTimeoutMs);
        this.#whenEmpty = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
    for (const connection of this.#lent) connection.destroy();
    await Promise.allSettled(this.#idle.splice(0).map((connection) => connection.end()));
  }

  #wait(signal: AbortSignal | undefined): Promise<Connection> {
    const began = performance.now();
    return new Promise((done, fail) => {
      const settle = () => {
        this.#options.onWait(performance.now() - began);
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        signal?.removeEventListener("abort", abort);
      };
      const waiter: Waiter = {
        give: (connection) => {
          settle();
          done(connection);
        },
        refuse: (error) => {
          settle();
          fail(error);
        },
      };
      const abort = () => waiter.refuse(signal?.reason);
      const timer = setTimeout(
        () => waiter.refuse(unavailable(new Error("no database connection became free in time"))),
        this.#options.waitTimeoutMs,
      );
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.add(waiter);
      this.#grow();
    });
  }

  /** Opens as many connections as there are callers for, within the limit. */
  #grow(): void {
    if (performance.now() < this.#restUntil) {
      // Whoever could wait for a lent connection does; without any there is nothing to wait for.
      if (this.#lent.size === 0 && this.#opening === 0) this.#refuseAll();
      return;
    }
    while (!this.#closed && this.#opening < this.#waiting.size && this.state.total < this.#options.max)
      this.#open();
  }

  #open(): void {
    this.#opening++;
    this.#options.open().then(
      (connection) => {
        this.#opening--;
        this.#lastFailure = undefined;
        connection.onBroken(() => this.#drop(connection));
        // Spread, so that connections opened together do not all end together.
        const { maxLifetimeMs } = this.#options;
        if (maxLifetimeMs > 0)
          connection.retireAt = performance.now() + maxLifetimeMs * (0.9 + 0.1 * Math.random());
        if (connection.broken) this.#afterLoss();
        else if (this.#closed) {
          this.#end(connection);
          this.#afterLoss();
        } else this.#offer(connection);
      },
      (error: unknown) => {
        this.#opening--;
        if (this.#lastFailure === undefined) {
          this.#options.log.warn({ err: error }, "connecting to the database failed");
        }
        this.#lastFailure = error;
        this.#restUntil = performance.now() + restMs;
        if (this.#lent.size === 0 && this.#opening === 0) this.#refuseAll();
        this.#checkEmpty();
      },
    );
  }

  #refuseAll(): void {
    const error = unavailable(this.#lastFailure);
    for (const waiter of [...this.#waiting]) waiter.refuse(error);
  }

  #offer(connection: Connection): void {
    const [waiter] = this.#waiting;
    if (waiter !== undefined) {
      this.#lent.add(connection);
      waiter.give(connection);
      return;
    }
    connection.idleSince = performance.now();
    this.#idle.push(connection);
    this.#checkEmpty();
  }

  /** Lent ones come back when their statements have been refused; idle ones would only disappoint the next. */
  #abandon(dead: readonly Connection[]): void {
    for (const connection of [...dead, ...this.#idle.splice(0)]) connection.destroy();
    this.#afterLoss();
  }

  /** A connection was lost; the idle ones leave here, lent ones when they come back. */
  #drop(connection: Connection): void {
    const index = this.#idle.indexOf(connection);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#afterLoss();
  }

  #afterLoss(): void {
    this.#checkEmpty();
    if (this.#waiting.size > 0) this.#grow();
  }

  #checkEmpty(): void {
    if (this.#lent.size === 0 && this.#opening === 0) this.#whenEmpty?.();
  }

  #end(connection: Connection): void {
    connection.end().catch((error: unknown) => {
      this.#options.log.debug({ err: error }, "closing a database connection failed");
    });
  }

  #isOld(connection: Connection): boolean {
    return performance.now() > connection.retireAt;
  }

  #maintain(): void {
    const { min, idleTimeoutMs } = this.#options;
    const now = performance.now();
    this.#silence.look(this.#lent);
    for (const connection of [...this.#idle]) {
      const surplus =
        this.state.total > min && idleTimeoutMs > 0 && now - connection.idleSince > idleTimeoutMs;
      if (!surplus && !this.#isOld(connection)) continue;
      this.#idle.splice(this.#idle.indexOf(connection), 1);
      this.#end(connection);
    }
    if (this.#waiting.size > 0) this.#grow();
    else if (
      now >= this.#restUntil &&
      this.#opening === 0 &&
      this.state.total < Math.min(min, this.#options.max)
    )
      this.#open();
  }
}
