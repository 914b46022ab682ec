import { randomBytes } from "node:crypto";
import { emailOf, password, refreshTokenOf, userIdOf } from "../schema.ts";
import { managementToken } from "../services.ts";
import type { SoakClient } from "./client.ts";

/** Seeded sessions that refresh; their accounts do nothing else, since further logins would end the oldest session. */
export const refreshers = 16;

/** One who does the same thing again and again. */
export interface Actor {
  /** Milliseconds between two of its turns. */
  readonly pauseMs: number;
  turn(): Promise<unknown>;
}

/** A kind of actor: how many there are, and how one is made. */
interface Cast {
  readonly count: number;
  actor(client: SoakClient, index: number, users: number): Actor;
}

const api = "/api/v1";
const json = (path: string, body: unknown) => ({ path: `${api}${path}`, body });
const call = (method: string, body: unknown) => ({
  ...{ path: `/v1/call/${method}`, body, bearer: managementToken },
});

/** Seeded accounts but those of the refreshers, scattered. */
function accounts(users: number, index: number): () => number {
  let n = index * 104_729;
  return () => {
    n += 7_919;
    return refreshers + (n % (users - refreshers));
  };
}

function newcomer(): { identifier: string; username: string; password: string } {
  const id = randomBytes(6).toString("hex");
  return { identifier: `soak${id}@example.com`, username: `soak_${id}`, password };
}

/** Everybody who takes part; on two cores some 500 requests a second, of which a dozen hash a password. */
export const cast: readonly Cast[] = [
  {
    count: refreshers,
    actor(client, index) {
      let token = refreshTokenOf(index);
      return {
        pauseMs: 50,
        async turn() {
          const body = { grant_type: "refresh_token", refresh_token: token };
          const answer = await client.ask("refresh", 200, json("/token", body));
          if (answer !== undefined) token = String(answer.body["refresh_token"]);
        },
      };
    },
  },
  {
    count: 4,
    // Signs in now and then, looks at itself with the access token in between, and signs out at the end.
    actor(client, index, users) {
      const next = accounts(users, index);
      let turns = 0;
      let bearer = "";
      return {
        pauseMs: 20,
        async turn() {
          if (turns++ % 40 === 0) {
            if (bearer !== "")
              await client.ask("logout", 200, { path: `${api}/logout`, method: "DELETE", bearer });
            const body = { email: emailOf(next()), password };
            const answer = await client.ask("login", 200, json("/password/login", body));
            bearer = String(answer?.body["access_token"] ?? "");
          }
          return client.ask("me", 200, { path: `${api}/me`, bearer });
        },
      };
    },
  },
  {
    count: 2,
    actor(client, index, users) {
      const next = accounts(users, 50 + index);
      return {
        pauseMs: 600,
        turn() {
          const known = { email: emailOf(next()), password: "not the password" };
          const unknown = { email: newcomer().identifier, password: "not the password" };
          const body = Math.random() < 0.5 ? known : unknown;
          return client.ask("failed login", 401, json("/password/login", body));
        },
      };
    },
  },
  {
    count: 2,
    actor: (client) => ({
      pauseMs: 800,
      async turn() {
        const person = newcomer();
        const answer = await client.ask("register", 202, json("/register", person));
        if (answer === undefined) return;
        const found = await client.ask(
          "by e-mail",
          200,
          call("GetUserByEmail", { email: person.identifier }),
        );
        const userID = String(Object(found?.body["result"]).ID);
        await client.ask("delete", 200, call("HardDeleteUser", { userID }));
      },
    }),
  },
  {
    count: 2,
    actor: (client) => ({
      pauseMs: 10,
      turn: () => client.ask("jwks", 200, { path: "/.well-known/jwks.json" }),
    }),
  },
  {
    count: 2,
    actor(client, index, users) {
      const next = accounts(users, 100 + index);
      let turns = 0;
      return {
        pauseMs: 30,
        turn() {
          if (turns++ % 10 < 7) {
            return client.ask("by e-mail", 200, call("GetUserByEmail", { email: emailOf(next()) }));
          }
          const id = userIdOf(next());
          return client.ask("set verified", 200, call("SetEmailVerified", { id, v: true }));
        },
      };
    },
  },
];

/** Lets everybody act until `signal` aborts; resolves when the last turn has ended. */
export async function perform(client: SoakClient, users: number, signal: AbortSignal): Promise<void> {
  const repeat = async ({ pauseMs, turn }: Actor): Promise<void> => {
    while (!signal.aborted) {
      await turn();
      // Nobody acts in step with anybody.
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
  };
  const actors = cast.flatMap(({ count, actor }) =>
    Array.from({ length: count }, (_, index) => actor(client, index, users)),
  );
  await Promise.all(actors.map(repeat));
}
