import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import type { NewIdentity } from "../../../src/core/identities/index.ts";
import { systemContext } from "../../../workers/bootstrap.ts";
import { openTestServer, type TestServer } from "../../support/embedded.ts";

let server: TestServer;
const context = systemContext("en", "request-1");
let count = 0;
let ana: string;
let ben: string;

beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server?.close());

beforeEach(async () => {
  count += 1;
  const { client } = { client: server.client() };
  ana = (await client.createUser({ email: "", username: `ana_${count}` })).id;
  ben = (await client.createUser({ email: "", username: `ben_${count}` })).id;
});

const issuer = "https://accounts.example.com";

function link(userId: string, subject: string, overrides: Partial<NewIdentity> = {}) {
  const identity = { userId, issuer, provider: "example", subject, email: null, ...overrides };
  return server.core.identities.link(identity, context);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return isAuthError(error) ? error.code : String(error);
  }
}

async function audited(userId: string) {
  const rows = await server.core.audit.page({ target: `user:${userId}` });
  return rows
    .filter(({ action }) => action.startsWith("provider."))
    .map(({ action, details }) => [action, details]);
}

test("links, finds by issuer and subject exactly, refreshes", async () => {
  const subject = `Sub-${count}`;
  const first = await link(ana, subject, { email: "a@example.com", profile: { username: "ana" } });
  expect(first).toMatchObject({
    created: true,
    replacedSubject: undefined,
    identity: { userId: ana, subject },
  });
  expect(await server.core.identities.find(issuer, subject)).toEqual(first.identity);
  expect(await server.core.identities.find(issuer, subject.toLowerCase())).toBeUndefined();
  const again = await link(ana, subject, { provider: null, email: null });
  expect(again).toMatchObject({
    created: false,
    identity: { id: first.identity.id, provider: "example", email: null, profile: { username: "ana" } },
  });
  expect(await server.core.identities.list(ana)).toHaveLength(1);
  expect(await server.core.identities.usernames([ana, ben], "example")).toEqual(new Map([[ana, "ana"]]));
});

test("another subject of the same issuer replaces the first, with a trace", async () => {
  await link(ana, `one-${count}`);
  expect(await link(ana, `two-${count}`)).toMatchObject({ created: true, replacedSubject: `one-${count}` });
  expect((await server.core.identities.list(ana)).map(({ subject }) => subject)).toEqual([`two-${count}`]);
  expect(await audited(ana)).toMatchObject([
    ["provider.linked", { subject: `one-${count}`, created: true }],
    ["provider.linked", { subject: `two-${count}`, replacedSubject: `one-${count}` }],
  ]);
});

test("a subject of somebody else's is refused, and nothing of the account is lost", async () => {
  await link(ben, `bens-${count}`);
  await link(ana, `anas-${count}`);
  expect(await codeOf(link(ana, `bens-${count}`))).toBe("provider_already_linked");
  expect((await server.core.identities.list(ana)).map(({ subject }) => subject)).toEqual([`anas-${count}`]);
  expect(await codeOf(link(ana, " "))).toBe("invalid_request");
  expect(await codeOf(link("019f0000-0000-7000-8000-0000000000aa", "x"))).toBe("user_not_found");
});

test("of fifty accounts that claim one subject at once, one gets it", async () => {
  const { results } = await server.client().importUsers({
    inputs: Array.from({ length: 50 }, (_, n) => ({ username: `racer_${count}_${n}` })),
  });
  const outcomes = await Promise.all(results.map(({ userId }) => codeOf(link(userId, `prize-${count}`))));
  expect(outcomes.filter((outcome) => outcome === "ok")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "provider_already_linked")).toHaveLength(49);
});

test("an account that links fifty subjects of one issuer at once keeps one", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, n) => codeOf(link(ana, `many-${count}-${n}`))),
  );
  expect(new Set(outcomes)).toEqual(new Set(["ok"]));
  expect(await server.core.identities.list(ana)).toHaveLength(1);
});

test("the last way in is kept when asked for, also against two removals at once", async () => {
  const { identities } = server.core;
  await link(ana, `a-${count}`, { issuer: "https://a.example", provider: "a" });
  await link(ana, `b-${count}`, { issuer: "https://b.example", provider: "b" });
  const keep = { keepLoginMethod: true };
  const outcomes = await Promise.all(
    ["a", "b"].map((provider) => codeOf(identities.unlink(ana, provider, context, keep))),
  );
  expect(outcomes.sort()).toEqual(["cannot_unlink_last_login_method", "ok"]);
  const [left] = await identities.list(ana);
  await server.client().adminSetPassword({ userId: ana, new: "a long enough password" });
  expect(await codeOf(identities.unlink(ana, left?.provider ?? "", context, keep))).toBe("ok");
  expect(await identities.unlink(ana, "a", context)).toEqual([]);
});
