import { expect, test } from "vitest";
import { postedName } from "../../../src/core/federation/posted-user.ts";

test.each([
  ['{"name":{"firstName":"Mona","lastName":"Lisa"},"email":"x@example.com"}', "Mona Lisa"],
  ['{"name":{"firstName":" Mona ","lastName":""}}', "Mona"],
  ['{"name":{"lastName":"Lisa"}}', "Lisa"],
  ['{"name":{"firstName":7,"lastName":["Lisa"]}}', ""],
  ['{"name":{}}', ""],
  ['{"name":"Mona"}', ""],
  ['{"firstName":"Mona"}', ""],
  ["null", ""],
  ["[]", ""],
  ["{", ""],
  ["", ""],
])("the name in %s", (user, name) => {
  expect(postedName(user)).toBe(name);
});

test("a name is cut", () => {
  expect(postedName(JSON.stringify({ name: { firstName: "x".repeat(5000) } }))).toBe("x".repeat(200));
});
