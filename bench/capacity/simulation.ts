import { entriesOf, type Load, type Station, stations } from "./operations.ts";

export interface SimulationOptions {
  readonly load: Load;
  /** Servers of each station. */
  readonly cores: Readonly<Record<Station, number>>;
  /** Seconds of arrivals. */
  readonly seconds: number;
  readonly seed: number;
}

export interface SimulationResult {
  readonly completed: number;
  /** Share of each station's cores that was busy while requests arrived. */
  readonly utilisation: Readonly<Record<Station, number>>;
  /** Milliseconds from arrival to answer. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds a request spent waiting for a core, on average. */
  readonly meanWait: number;
}

/** One stay at a station. */
interface Visit {
  readonly station: Station;
  /** Mean of the service time, seconds. */
  readonly mean: number;
}

interface Request {
  readonly arrived: number;
  readonly visits: readonly Visit[];
  next: number;
  waited: number;
  queuedAt: number;
}

interface Event {
  readonly at: number;
  readonly request: Request;
  /** Set when a stay ends; an arrival has none. */
  readonly leaves?: Station;
}

/** The order in which a request sees its stations: http before and after everything else. */
function visitsOf(cpu: Readonly<Partial<Record<Station, number>>>): readonly Visit[] {
  const seconds = (station: Station): number => (cpu[station] ?? 0) / 1000;
  const inner = stations.filter((station) => station !== "http" && seconds(station) > 0);
  const half = { station: "http", mean: seconds("http") / 2 } as const;
  return [half, ...inner.map((station) => ({ station, mean: seconds(station) })), half];
}

/** Mulberry32: the same seed gives the same run on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Events by time, as a binary heap. */
class Agenda {
  readonly #heap: Event[] = [];

  add(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.at <= event.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const [child, smaller] =
        other !== undefined && other.at < one.at ? ([left + 1, other] as const) : ([left, one] as const);
      if (smaller.at >= last.at) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/**
 * Requests arrive at random (Poisson), and queue first come, first served for the cores of each station in turn. Hashes take nearly the
 * same time each; everything else varies as measured services do (exponentially).
 */
export function simulate({ load, cores, seconds, seed }: SimulationOptions): SimulationResult {
  const random = randomFrom(seed);
  const exponential = (mean: number): number => -mean * Math.log(1 - random());
  const serviceTime = ({ station, mean }: Visit): number =>
    station === "hashing" ? mean * (0.95 + 0.1 * random()) : exponential(mean);

  const agenda = new Agenda();
  for (const [{ cpu }, rate] of entriesOf(load)) {
    if (rate === 0) continue;
    const visits = visitsOf(cpu);
    for (let at = exponential(1 / rate); at < seconds; at += exponential(1 / rate))
      agenda.add({ at, request: { arrived: at, visits, next: 0, waited: 0, queuedAt: at } });
  }

  const free: Record<Station, number> = { ...cores };
  const busySeconds: Record<Station, number> = { http: 0, management: 0, hashing: 0, database: 0 };
  const queues: Readonly<Record<Station, Queue>> = {
    http: new Queue(),
    management: new Queue(),
    hashing: new Queue(),
    database: new Queue(),
  };
  const times: number[] = [];
  let waited = 0;

  function begin(request: Request, visit: Visit, now: number): void {
    const takes = serviceTime(visit);
    request.waited += now - request.queuedAt;
    free[visit.station]--;
    busySeconds[visit.station] += Math.max(0, Math.min(now + takes, seconds) - now);
    agenda.add({ at: now + takes, request, leaves: visit.station });
  }

  for (let event = agenda.take(); event !== undefined; event = agenda.take()) {
    const { at, request, leaves } = event;
    if (leaves !== undefined) {
      free[leaves]++;
      const waiting = queues[leaves].take();
      const visit = waiting?.visits[waiting.next];
      if (waiting !== undefined && visit !== undefined) begin(waiting, visit, at);
      request.next++;
    }
    const visit = request.visits[request.next];
    if (visit === undefined) {
      times.push((at - request.arrived) * 1000);
      waited += request.waited * 1000;
      continue;
    }
    request.queuedAt = at;
    if (free[visit.station] > 0) begin(request, visit, at);
    else queues[visit.station].add(request);
  }

  times.sort((a, b) => a - b);
  const utilisation = { ...busySeconds };
  for (const station of stations)
    utilisation[station] = cores[station] === 0 ? 0 : busySeconds[station] / (cores[station] * seconds);
  return {
    completed: times.length,
    utilisation,
    p50: times[Math.floor(times.length * 0.5)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
    meanWait: times.length === 0 ? 0 : waited / times.length,
  };
}

/** First in, first out, without moving what waits. */
class Queue {
  #waiting: Request[] = [];
  #first = 0;

  add(request: Request): void {
    this.#waiting.push(request);
  }

  take(): Request | undefined {
    const request = this.#waiting[this.#first];
    if (request === undefined) return undefined;
    this.#first++;
    if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return request;
  }
}
