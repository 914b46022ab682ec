import { type Findings, isToWorker, type Served, type ToPrimary } from "./messages.ts";

/** A worker's half of the conversation with its primary. */
export interface Conversation {
  /** Says that the code is loaded; resolves with what the primary has found out, once the stores are prepared. */
  begin(): Promise<Findings>;
  /** Says that all is there but what others of this node do; resolves when they serve. */
  othersServe(): Promise<void>;
  /** Says that this worker serves. */
  ready(served?: Served): void;
  /** Says that this worker waits for an outage to end, so that it is given more time. */
  waiting(): void;
}

export interface Questions {
  /** The worker is to finish what it has begun, and end. */
  drain(): void;
  /** Numbers of this process, for the node's metrics. */
  metrics(): Promise<unknown>;
}

function send(message: ToPrimary): void {
  if (process.connected) process.send?.(message);
}

/** Listens to the primary from now on. */
export function converse(questions: Questions): Conversation {
  const begun = Promise.withResolvers<Findings>();
  const othersServe = Promise.withResolvers<void>();
  process.on("message", (message: unknown) => {
    if (!isToWorker(message)) return;
    switch (message.type) {
      case "begin":
        return begun.resolve(message.findings);
      case "serve":
        return othersServe.resolve();
      case "drain":
        return questions.drain();
      case "metrics": {
        const { id } = message;
        void questions.metrics().then((data) => send({ type: "metrics", id, data }));
      }
    }
  });
  return {
    begin() {
      send({ type: "loaded" });
      return begun.promise;
    },
    othersServe() {
      send({ type: "prepared" });
      return othersServe.promise;
    },
    ready: (served) => send(served === undefined ? { type: "ready" } : { type: "ready", served }),
    waiting: () => send({ type: "waiting" }),
  };
}
