import { randomBytes, randomInt } from "node:crypto";
import type { TestCluster } from "./cluster.ts";
import { request, type TestReply, type TestRequest } from "./http.ts";

/** Environment under which {@link from} works: requests come from whatever address the test says. */
export const behindProxy = { AUTHKIT_TRUSTED_PROXIES: "127.0.0.1/32" } as const;

let serial = randomInt(2 ** 24);

/** A client address nobody has used, so that limits by address count from zero. */
export function newAddress(): string {
  serial = (serial + 1) % 2 ** 24;
  return `9.${serial >> 16}.${(serial >> 8) & 255}.${serial & 255}`;
}

/** A request to a browser route from an address of its own, or from the given one. */
export function api(
  cluster: TestCluster,
  path: string,
  options: TestRequest & { readonly ip?: string } = {},
): Promise<TestReply> {
  const { ip = newAddress(), headers, ...rest } = options;
  return request(`${cluster.api}${path}`, { ...rest, headers: { ...headers, "x-forwarded-for": ip } });
}

export interface Person {
  readonly email: string;
  readonly phone: string;
  readonly username: string;
  readonly password: string;
}

/** Somebody nobody knows yet. */
export function newPerson(): Person {
  const id = randomBytes(5).toString("hex");
  return {
    email: `p${id}@example.com`,
    phone: `+49${String(randomInt(1e10)).padStart(10, "1")}`,
    username: `p${id}`,
    password: "password123",
  };
}

/** A registered account and its tokens (policies `none` and `optional`). */
export async function registered(
  cluster: TestCluster,
  by: "email" | "phone" = "email",
  options: Partial<Person> = {},
): Promise<Person & { readonly accessToken: string; readonly refreshToken: string }> {
  const person = { ...newPerson(), ...options };
  const reply = await api(cluster, "/register", {
    body: { identifier: person[by], username: person.username, password: person.password },
  });
  if (reply.status !== 202) throw new Error(`registration failed: ${reply.status} ${reply.text}`);
  return {
    ...person,
    accessToken: String(reply.body["access_token"]),
    refreshToken: String(reply.body["refresh_token"]),
  };
}

export interface ReceivedMessage {
  readonly text: string;
  /** Six digits, or empty. */
  readonly code: string;
  /** Of the link, or empty. */
  readonly token: string;
  readonly url: string;
}

function received(text: string): ReceivedMessage {
  const url = /https?:\/\/\S+/.exec(text)?.[0] ?? "";
  return {
    text,
    url,
    code: /(?<![\w/=-])\d{6}(?![\w-])/.exec(text)?.[0] ?? "",
    token: url === "" ? "" : (new URL(url).searchParams.get("token") ?? ""),
  };
}

/** Everything the console sender sent to an address, oldest first. */
export async function messagesTo(cluster: TestCluster, to: string): Promise<ReceivedMessage[]> {
  const reply = await request(`${cluster.api}/dev/messages?to=${encodeURIComponent(to)}`);
  const list = reply.body["messages"];
  if (!Array.isArray(list)) throw new Error(`no messages: ${reply.text}`);
  return list
    .map((entry: unknown) => {
      const text = typeof entry === "object" && entry !== null ? Reflect.get(entry, "text") : "";
      return received(String(text));
    })
    .reverse();
}

/** Waits for the `count`-th message to an address. */
export async function messageTo(cluster: TestCluster, to: string, count = 1): Promise<ReceivedMessage> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const message = (await messagesTo(cluster, to))[count - 1];
    if (message !== undefined) return message;
    if (Date.now() > deadline) throw new Error(`no message ${count} to ${to}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
