import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeJson, encodeSorted } from "../../../src/core/tokens/json.ts";

/** Whether the members of every object are in byte order; number-like names aside, which a parsed object reorders. */
function keysInOrder(text: string): boolean {
  let ordered = true;
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const names = Object.keys(value).filter((name) => !/^\d+$/.test(name));
      const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      ordered &&= names.every((name, at) => name === sorted[at]);
    }
    return value;
  });
  return ordered;
}

describe("deterministic JSON", () => {
  it("sorts members of every object by bytes", () => {
    expect(encodeSorted({ b: 1, a: { d: [{ f: 1, e: 2 }], c: null } })).toBe(
      '{"a":{"c":null,"d":[{"e":2,"f":1}]},"b":1}',
    );
    expect(encodeSorted({ "\u{1f600}": 1, "\uffff": 2, z: 3 })).toBe('{"z":3,"\uffff":2,"\u{1f600}":1}');
  });

  it("sorts names that look like numbers as text, and keeps __proto__ a name", () => {
    expect(encodeSorted({ 9: 1, 10: 2, a: 3, "1a": 4 })).toBe('{"10":2,"1a":4,"9":1,"a":3}');
    expect(encodeSorted(JSON.parse('{"z":1,"__proto__":{"b":1,"a":2}}'))).toBe(
      '{"__proto__":{"a":2,"b":1},"z":1}',
    );
  });

  it("leaves out undefined members and writes dates", () => {
    expect(encodeSorted({ b: undefined, a: new Date(0), c: [undefined] })).toBe(
      '{"a":"1970-01-01T00:00:00.000Z","c":[null]}',
    );
  });

  it("escapes what HTML and JavaScript would read", () => {
    expect(encodeJson({ "<": ">&\u2028\u2029" })).toBe('{"\\u003c":"\\u003e\\u0026\\u2028\\u2029"}');
  });

  it("keeps the value of any JSON, whatever the order it came in", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = encodeSorted(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
        expect(keysInOrder(text)).toBe(true);
        expect(encodeSorted(JSON.parse(text))).toBe(text);
      }),
    );
  });
});
