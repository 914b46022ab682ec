import { arrive, measuredBetween, type OpenLoad } from "../arrivals.ts";
import { drive, type Line, logins, type Measured, repeat, type Scenario, signIn } from "../bench.ts";
import type { Observation } from "../observation/observer.ts";
import { connectionsForEachHasher } from "./sign-in.ts";

/** How much more arrives than can be done. */
const overload = 3;
/** Seconds until every queue has taken the burst that the storm begins with, has stood for two seconds and is short. */
const onset = 5;
/** Seconds after them at least: of some hundred answers, a hiccup of the machine is not the hundredth. */
const shortest = 20;
/** Requests a second of the light route. */
const lightRate = 500;

/**
 * A login storm: three times as many logins as the hashing workers can do, from clients that do not wait for each other, with a light route
 * beside them.
 *
 * Capacity, and the p99 that accepted logins are compared with, is measured first as in the scenario `login`: a fixed number of clients, each of
 * which waits for its answer before it asks again, with the light route beside them as in the storm. Every hashing process is busy all the time
 * then and a few wait for it, but nothing is refused: the fastest the server can be at full use. Compared with an idle server, or without
 * the other traffic, the storm would look worse for a reason that is not overload.
 *
 * The storm's first seconds have a line of their own. A burst may wait as far as the queue reaches, because refusing it would cost its clients
 * a second at least; only a queue that stands is kept short. What lasts is judged by the seconds after.
 */
export const storm: Scenario = {
  name: "storm",
  async run(bench) {
    const { hashingWorkers, users } = bench.options;
    const duration = Math.max(shortest, bench.options.duration);
    const { url, pid } = bench.cluster;
    const token = await signIn(url, 2);
    const light = (): Promise<Measured> =>
      repeat({
        url,
        connections: 10,
        duration,
        rate: lightRate,
        servers: [pid],
        request: { method: "GET", path: "/api/v1/me", headers: { authorization: `Bearer ${token}` } },
      });
    const idle = await light();
    const [capacity] = await Promise.all([
      drive({
        url,
        connections: hashingWorkers * connectionsForEachHasher,
        duration,
        servers: [pid],
        conversation: (index) => logins(users, index),
      }),
      light(),
    ]);
    if (capacity.rate === 0)
      throw new Error(`no login was done in ${duration} s: there is nothing to overload`);
    const rate = overload * capacity.rate;
    const next = logins(users, 0).next;
    const [[load, during], observed] = await bench.observe(async () => {
      const flood = arrive({ url, rate, duration: onset + duration, servers: [pid], next });
      await new Promise((resolve) => setTimeout(resolve, onset * 1_000));
      const beside = await light();
      return [await flood, beside] as const;
    });
    return [
      {
        path: "logins at capacity",
        ours: capacity,
        note: "every hashing process busy, nothing refused; the light route beside",
      },
      ...stormLines(load, capacity, { duration, observed, light: during }),
      { path: `GET /me, ${lightRate}/s, idle`, ours: idle },
      lightLine(during, idle),
    ];
  },
};

/** What was observed is of the storm and of the light route beside it. */
interface Beside {
  readonly duration: number;
  readonly observed: Observation;
  readonly light: Measured;
}

function stormLines(
  load: OpenLoad,
  capacity: Measured,
  { duration, observed, light }: Beside,
): readonly Line[] {
  const { arrivals } = load;
  const after = measuredBetween(load, onset, onset + duration);
  const shed = arrivals.filter(({ status }) => status === 503);
  const told = shed.filter(({ retryAfter }) => Number(retryAfter) >= 1).length;
  const others = arrivals.filter(({ status }) => status !== 503 && (status < 200 || status >= 300)).length;
  const ratio = after.p99 / capacity.p99;
  const offered = arrivals.length / (onset + duration);
  return [
    {
      ...{ path: `storm of logins at ${overload} × capacity, accepted`, ours: after, observed },
      observedAnswers: arrivals.filter(({ status }) => status !== 0).length + light.answers,
      ...{ raw: capacity.p99, against: "ms p99 at capacity", ratio, budget: "≤ 2", met: ratio <= 2 },
      note: `${offered.toFixed(0)}/s offered`,
    },
    {
      path: `storm, its first ${onset} s, accepted`,
      ours: measuredBetween(load, 0, onset),
      note: "a burst may wait",
    },
    {
      ...{ path: "storm, refused", raw: shed.length, against: `503 of ${arrivals.length}` },
      budget: "> 0, each with Retry-After, no other error",
      met: shed.length > 0 && told === shed.length && others === 0,
      note: `${told} with Retry-After, ${others} other errors`,
    },
  ];
}

function lightLine(during: Measured, idle: Measured): Line {
  // autocannon measures whole milliseconds.
  const ratio = Math.max(during.p99, 1) / Math.max(idle.p99, 1);
  return {
    ...{ path: `GET /me, ${lightRate}/s, during the storm`, ours: during },
    ...{ raw: idle.p99, against: "ms p99 idle", ratio, budget: "≤ 3", met: ratio <= 3 },
  };
}
