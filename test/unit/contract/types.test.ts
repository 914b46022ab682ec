import { expect, expectTypeOf, test } from "vitest";
import type { User, UserRef } from "../../../src/contract/dtos/index.ts";
import type {
  CallOptions,
  Client,
  ClientResult,
  MethodArguments,
  MethodResult,
} from "../../../src/contract/handlers.ts";
import { methodRows, methods } from "../../../src/contract/methods/index.ts";

test("the table has every method of both generations once", () => {
  expect(methodRows).toHaveLength(113);
  expect(new Set(methodRows.map(([, row]) => row.name)).size).toBe(113);
  expect(methodRows.filter(([, row]) => row.generations.includes("0.73"))).toHaveLength(96);
  expect(methodRows.filter(([, row]) => row.generations.includes("0.97"))).toHaveLength(90);
  // And those that are this server's own.
  expect(methodRows.filter(([, row]) => row.generations.length === 0)).toHaveLength(4);
});

test("types derived from the table", () => {
  expectTypeOf<MethodArguments<"createUser">>().toEqualTypeOf<{
    readonly email: string;
    readonly username: string;
  }>();
  expectTypeOf<Awaited<ReturnType<Client["createUser"]>>>().toEqualTypeOf<User>();
  expectTypeOf<User["bannedUntil"]>().toEqualTypeOf<Date | null>();
  expectTypeOf<MethodResult<"banUser">>().toEqualTypeOf<void>();
  expectTypeOf<MethodResult<"exchangeRefreshToken">>().toEqualTypeOf<{
    readonly accessToken: string;
    readonly expiresAt: Date;
    readonly refreshToken: string;
  }>();
  expectTypeOf<Client["hasEmailSender"]>().toEqualTypeOf<(options?: CallOptions) => Promise<boolean>>();
});

test("nullable and free-form arguments may be left out by a caller, not by a handler", () => {
  expectTypeOf<{ userId: string; bannedBy: string }>().toExtend<Parameters<Client["banUser"]>[0]>();
  expectTypeOf<{ userId: string }>().not.toExtend<Parameters<Client["banUser"]>[0]>();
  expectTypeOf<MethodArguments<"banUser">["until"]>().toEqualTypeOf<Date | null>();
  expectTypeOf<{ opts: { pageSize: number } }>().toExtend<Parameters<Client["adminListUsers"]>[0]>();
});

test("members of one generation may be left out by a handler and are present for a caller", () => {
  type Result = MethodResult<"createUser">;
  expectTypeOf<Result["avatarUrl"]>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf<Result["biography"]>().toEqualTypeOf<string | null>();
  expectTypeOf<User["avatarUrl"]>().toEqualTypeOf<string | null>();
});

test("results that differ between the generations", () => {
  expectTypeOf<ClientResult<"usersByIds", "0.73">>().toEqualTypeOf<readonly UserRef[] | null>();
  expectTypeOf<ClientResult<"usersByIds", "0.97">>().toEqualTypeOf<Readonly<Record<string, UserRef>>>();
  expectTypeOf<ClientResult<"resolveRemoteApplicationAuthority">>().toEqualTypeOf<readonly string[]>();
  expect(methods.usersByIds.result.kind).toBe("by-generation");
});
