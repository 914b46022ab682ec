import { AsyncLocalStorage } from "node:async_hooks";

/** The signal of the call a statement belongs to, carried along by the runtime so that operations need not hand it from one to the next. */
const current = new AsyncLocalStorage<AbortSignal | undefined>();

/** Runs `work`; every statement sent in it without a signal of its own is cancelled when `signal` aborts. */
export function cancelledBy<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return current.run(signal, work);
}

/** Runs what has to be done even when whoever asked has left: tasks after a commit. */
export function uncancelled<T>(work: () => T): T {
  return current.getStore() === undefined ? work() : current.run(undefined, work);
}

export function currentSignal(): AbortSignal | undefined {
  return current.getStore();
}
