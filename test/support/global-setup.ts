import type { TestProject } from "vitest/node";
import { startTestPostgres } from "./postgres.ts";
import { startTestRedis } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Superuser URL of the run's own PostgreSQL; make a database with `createTestDatabase`. */
    postgresUrl: string;
    /** The run's own Redis; separate tests by key prefix. */
    redisUrl: string;
  }
}

/** Superuser URL of a server to test with instead of one of the run's own: another version, or one with other settings. */
const givenPostgres = process.env["AUTHKIT_TEST_POSTGRES_URL"];

/** One PostgreSQL and one Redis for the whole run, on free loopback ports, gone afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres =
    givenPostgres === undefined
      ? await startTestPostgres()
      : { url: givenPostgres, stop: () => Promise.resolve() };
  const redis = await startTestRedis();
  project.provide("postgresUrl", postgres.url);
  project.provide("redisUrl", redis.url);
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
  };
}
