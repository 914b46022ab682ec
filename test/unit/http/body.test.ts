import { Type } from "typebox";
import { describe, expect, it } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import { compileBody } from "../../../src/http/body.ts";

const schema = Type.Object({
  email: Type.Optional(Type.String()),
  all: Type.Optional(Type.Boolean()),
  biography: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

type Mode = Parameters<typeof compileBody>[1]["mode"];

function decoded(body: string | Buffer, mode: Mode = "required"): unknown {
  try {
    return compileBody(schema, { mode })(Buffer.from(body));
  } catch (error) {
    if (isAuthError(error)) return error.code;
    throw error;
  }
}

describe("bodies", () => {
  it.each([
    ["", "invalid_request"],
    ["null", {}],
    [" {} \n", {}],
    ["{} x", "invalid_request"],
    ["\ufeff{}", "invalid_request"],
    ["[]", "invalid_request"],
    ['"x"', "invalid_request"],
    ['{"other":1}', "invalid_request"],
    ['{"email":1}', "invalid_request"],
    ['{"all":"true"}', "invalid_request"],
    ['{"email":null,"all":null}', {}],
    ['{"biography":null}', { biography: null }],
    ['{"EMAIL":"a","AlL":true}', { email: "a", all: true }],
    ['{"email":"a","email":"b"}', { email: "b" }],
    ['{"email":"a","Email":"b"}', { email: "b" }],
    ['{"a\u017f":1}', "invalid_request"],
  ])("%j is read as %j", (body, expected) => {
    expect(decoded(body)).toEqual(expected);
  });

  it("what is no character is replaced", () => {
    expect(decoded(Buffer.from([...Buffer.from('{"email":"'), 0xff, ...Buffer.from('"}')]))).toEqual({
      email: "\ufffd",
    });
    for (const [escaped, text] of [
      [String.raw`\ud800`, "\ufffd"],
      [String.raw`\uDFFFx`, "\ufffdx"],
      [String.raw`\ud800\ud800\udc00`, "\ufffd\u{10000}"],
      [String.raw`\ud83d\ude00`, "😀"],
      [String.raw`\\ud800`, String.raw`\ud800`],
      [String.raw`\\\ud800`, "\\\ufffd"],
    ] as const) {
      expect(decoded(`{"email":"${escaped}"}`)).toEqual({ email: text });
    }
    const free = compileBody(Type.Object({}, { additionalProperties: true }), { mode: "open" });
    expect(free(Buffer.from(String.raw`{"a":{"\udc00":["\ud800"]}}`))).toEqual({
      a: { "\ufffd": ["\ufffd"] },
    });
  });

  it("may be missing or wrong where the route says so", () => {
    expect(decoded("", "optional")).toEqual({});
    expect(decoded("{", "optional")).toBe("invalid_request");
    expect(decoded("{", "lenient")).toEqual({});
    expect(decoded('{"x":1}', "lenient")).toEqual({});
    expect(decoded('{"x":1,"Email":"a"}', "open")).toEqual({ x: 1, email: "a" });
  });
});
