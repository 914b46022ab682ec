import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** Node's own modules that importing a worker's program brings along. */
async function builtinsOf(worker: string): Promise<readonly string[]> {
  const program = `import(${JSON.stringify(join(root, "workers", `${worker}.ts`))})
    .then(() => console.log(JSON.stringify(process.moduleLoadList)))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], {
    cwd: root,
    maxBuffer: 1 << 22,
  });
  const list: unknown = JSON.parse(stdout);
  return Array.isArray(list) ? list.map(String) : [];
}

describe("what a worker loads", () => {
  // 14 MB of memory each: an `import` of node:http is enough to bring it along.
  it.each(["http", "management", "hashing", "primary"])(
    "%s goes without Node's own fetch",
    async (worker) => {
      const loaded = await builtinsOf(worker);
      expect(loaded.length).toBeGreaterThan(100);
      expect(loaded.filter((name) => name.includes("deps/undici"))).toEqual([]);
    },
  );
});
