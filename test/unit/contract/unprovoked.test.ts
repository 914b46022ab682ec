import { expect, test } from "vitest";
import { routes } from "../../../src/http/routes/index.ts";
import { unprovoked } from "../../contract/unprovoked.ts";

test("what cannot be provoked is listed by the rows it is said of", () => {
  const codes = new Set(
    routes.flatMap(({ method, path, errors }) =>
      errors.flatMap((code) => [code, `${method} ${path} ${code}`]),
    ),
  );
  expect(Object.keys(unprovoked).filter((key) => !codes.has(key))).toEqual([]);
});
