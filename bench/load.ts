import autocannon from "autocannon";
import { cpuSeconds } from "./processes.ts";

/** One measurement of a loaded path. */
export interface Measured {
  /** Requests answered, whatever the answer. */
  readonly answers: number;
  /** Requests answered with success, a second. */
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  /** Transport errors and time-outs. */
  readonly errors: number;
  /** Answers that are not 2xx. */
  readonly refused: number;
  /** CPU microseconds of the server's processes a request. */
  readonly cpuMicros: number;
}

/** What a connection sends next, made when it is about to send it. */
export interface NextRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** One connection's conversation. */
export interface Conversation {
  next(): NextRequest;
  /** Sees each answer before the next request is made. */
  answered?(status: number, body: string): void;
}

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly duration: number;
  /** Requests a second over all connections; undefined = as fast as it goes. */
  readonly rate?: number;
  /** Processes whose trees' CPU time is counted. */
  readonly servers: readonly number[];
  conversation(index: number): Conversation;
}

function spent(servers: readonly number[]): number {
  return servers.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

function measured(result: autocannon.Result, cpu: number): Measured {
  const answers = result["2xx"] + result.non2xx;
  return {
    answers,
    rate: result["2xx"] / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    errors: result.errors + result.timeouts,
    refused: result.non2xx,
    cpuMicros: answers === 0 ? 0 : (cpu * 1e6) / answers,
  };
}

/** Drives a server for `duration` seconds over keep-alive connections. */
export async function drive(options: LoadOptions): Promise<Measured> {
  let index = 0;
  const cpuBefore = spent(options.servers);
  const result = await autocannon({
    url: options.url,
    connections: options.connections,
    duration: options.duration,
    timeout: 20,
    ...(options.rate === undefined ? {} : { overallRate: options.rate }),
    setupClient(client) {
      const conversation = options.conversation(index++);
      client.setRequests([
        {
          setupRequest: (request) => ({ ...request, ...conversation.next() }),
          onResponse: (status, body) => conversation.answered?.(status, body),
        },
      ]);
    },
  });
  return measured(result, spent(options.servers) - cpuBefore);
}

/** The same request again and again, on every connection; cheaper for the generator than a conversation. */
export async function repeat(
  options: Omit<LoadOptions, "conversation"> & { readonly request: NextRequest },
): Promise<Measured> {
  const { method, path, headers, body } = options.request;
  const cpuBefore = spent(options.servers);
  const result = await autocannon({
    url: `${options.url}${path}`,
    method,
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    connections: options.connections,
    duration: options.duration,
    timeout: 20,
    ...(options.rate === undefined ? {} : { overallRate: options.rate }),
  });
  return measured(result, spent(options.servers) - cpuBefore);
}
