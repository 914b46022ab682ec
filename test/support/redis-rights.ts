import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { project } from "./cluster.ts";

/** The server's user as the manual describes it: name, and rules of `ACL SETUSER`. Its password is `password`. */
export type RedisUser = readonly [name: string, ...rules: string[]];

/** What goes with it in the server's environment. */
export const redisUserPrefix = "authkit:";

/** Reads the rights the manual gives the server's user, so that it is proven to name neither too few nor too many. */
export async function documentedUser(topology: "single" | "cluster" = "single"): Promise<RedisUser> {
  const manual = await readFile(join(project, "docs/operations.md"), "utf8");
  const rules = /^ACL SETUSER authkit ([^`]+)```/m.exec(manual)?.[1];
  const cluster = /a Cluster `(\+[^`]+)`/.exec(manual)?.[1];
  if (rules === undefined || cluster === undefined) throw new Error("the manual gives no rights");
  const words = topology === "cluster" ? `${rules.trim()} ${cluster}` : rules.trim();
  return ["authkit", ...words.split(/\s+/)];
}
