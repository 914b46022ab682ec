import { expect, test } from "vitest";
import { followingRedirects } from "../../../src/platform/outbound/redirects.ts";

/** Redirects by address, everything else answers 200. */
function server(redirects: Readonly<Record<string, string>>) {
  const asked: [string, string, string | null][] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    asked.push([request.method, request.url, request.headers.get("authorization")]);
    const location = redirects[request.url];
    return location === undefined
      ? new Response("ok")
      : new Response(null, { status: 302, headers: { location } });
  };
  return { fetch: followingRedirects(fetch), asked };
}

const headers = { authorization: "Bearer at" };

test("three redirects are followed, and credentials stay at home", async () => {
  const { fetch, asked } = server({
    "https://a.example/1": "/2",
    "https://a.example/2": "https://b.example/3",
    "https://b.example/3": "https://a.example/4",
  });
  expect((await fetch("https://a.example/1", { headers })).status).toBe(200);
  expect(asked).toEqual([
    ["GET", "https://a.example/1", "Bearer at"],
    ["GET", "https://a.example/2", "Bearer at"],
    ["GET", "https://b.example/3", null],
    ["GET", "https://a.example/4", null],
  ]);
});

test("a fourth, one to plain http and one of a POST are not", async () => {
  const circle = server({ "https://a.example/1": "https://a.example/1" });
  await expect(circle.fetch("https://a.example/1")).rejects.toMatchObject({ fault: "network" });
  expect(circle.asked.length).toBe(4);
  for (const from of ["https://a.example/1", "http://a.example/1"]) {
    const plain = server({ [from]: "http://b.example/" });
    await expect(plain.fetch(from)).rejects.toMatchObject({ fault: "invalid_url" });
  }
  const posted = server({ "https://a.example/token": "https://b.example/" });
  expect((await posted.fetch("https://a.example/token", { method: "POST", body: "x" })).status).toBe(302);
  expect(posted.asked.length).toBe(1);
});
