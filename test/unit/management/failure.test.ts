import { describe, expect, test } from "vitest";
import { AuthError, type ErrorCode, managementErrors } from "../../../src/contract/errors/index.ts";
import { methodRows } from "../../../src/contract/methods/index.ts";
import type { Descriptor, Fields } from "../../../src/contract/types.ts";
import { mutationTarget } from "../../../src/management/audit.ts";
import { describeFailure } from "../../../src/management/failure.ts";

describe("status by generation", () => {
  test.each<[ErrorCode, number, number]>([
    ["user_not_found", 422, 404],
    ["user_banned", 422, 401],
    ["email_delivery_failed", 422, 502],
    ["password_too_short", 422, 422],
    ["invalid_remote_application", 422, 400],
    ["attribute_def_not_found", 422, 404],
    ["invalid_token", 422, 401],
    ["token_revoked", 422, 401],
    ["token_expired", 422, 401],
    ["group_membership_invite_not_found", 422, 404],
    ["not_implemented", 501, 501],
    ["rate_limited", 429, 429],
    ["service_unavailable", 503, 503],
  ])("%s: %i, later %i", (code, earlier, later) => {
    expect(describeFailure(new AuthError(code), "0.73")).toMatchObject({ code, status: earlier });
    expect(describeFailure(new AuthError(code), "0.97")).toMatchObject({ code, status: later });
  });

  test("a fault that names its status keeps it", () => {
    expect(describeFailure(new AuthError("sms_unavailable", { status: 503 }), "0.73")).toMatchObject({
      code: "sms_unavailable",
      status: 503,
    });
    expect(describeFailure(new AuthError("sms_unavailable"), "0.73").status).toBe(422);
  });

  test("codes of the browser plane: refusals keep their name, faults do not", () => {
    expect(describeFailure(new AuthError("invalid_state"), "0.73")).toMatchObject({
      code: "invalid_state",
      status: 422,
    });
    expect(describeFailure(new AuthError("invalid_state"), "0.97")).toMatchObject({ status: 400 });
    expect(describeFailure(new AuthError("database_error"), "0.73")).toMatchObject({
      code: "internal_error",
      status: 500,
    });
  });

  test("one refusal is spelt differently", () => {
    const error = new AuthError("entitlement_filter_unavailable");
    expect(describeFailure(error, "0.97").code).toBe("entitlement_filter_unavailable");
    expect(describeFailure(error, "0.73").code).toContain("EntitlementFilterProvider");
  });

  test("anything else says nothing", () => {
    expect(describeFailure(new Error("secret"), "0.73")).toMatchObject({
      code: "internal_error",
      status: 500,
      headers: [],
    });
    expect(describeFailure("text", "0.97")).toMatchObject({ code: "internal_error", status: 500 });
  });
});

describe("the table", () => {
  function resolves(fields: Fields | undefined, path: readonly string[]): boolean {
    const [name = "", ...rest] = path;
    const type: Descriptor | undefined =
      fields !== undefined && Object.hasOwn(fields, name) ? fields[name]?.type : undefined;
    if (type === undefined || rest.length === 0) return type !== undefined;
    return type.kind === "dto" && resolves(type.fields, rest);
  }

  test("every error it names is in the catalogue, and every target exists", () => {
    for (const [key, row] of methodRows) {
      for (const code of row.errors) expect(Object.keys(managementErrors), key).toContain(code);
      for (const path of row.mutates?.args ?? [])
        expect(resolves(row.args, path.split(".")), `${key} ${path}`).toBe(true);
    }
  });

  test("targets are read from arguments, nested ones too, and from results", () => {
    const row = (name: string) => methodRows.find(([key]) => key === name)?.[1] ?? expect.unreachable();
    const group = { req: { persona: "org", instanceSlug: "acme" } };
    expect(mutationTarget(row("createGroupInviteLink"), group, undefined)).toBe("group:org/acme");
    expect(mutationTarget(row("createUser"), { email: "a" }, { id: "u1" })).toBe("user:u1");
    expect(mutationTarget(row("createUser"), { email: "a" }, undefined)).toBeUndefined();
    expect(mutationTarget(row("softDeleteUsers"), { userIds: ["u1"] }, [])).toBe("user:u1");
    expect(mutationTarget(row("softDeleteUsers"), { userIds: ["u1", "u2"] }, [])).toBeUndefined();
  });
});
