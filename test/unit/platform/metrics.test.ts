import { describe, expect, it } from "vitest";
import { aggregateMetrics, createMetrics } from "../../../src/platform/metrics/prometheus.ts";

const lines = (text: string, name: string) => text.split("\n").filter((line) => line.startsWith(name));

describe("metrics", () => {
  it("give the same instrument for the same name", async () => {
    const metrics = createMetrics("http-0");
    metrics.counter("authkit_login_total", "Logins", ["result"]).add({ result: "ok" });
    metrics.counter("authkit_login_total", "Logins", ["result"]).add({ result: "ok" }, 2);
    metrics.gauge("authkit_queue_depth", "Depth").set(7);
    expect(lines(await metrics.text(), "authkit_")).toEqual([
      'authkit_login_total{result="ok"} 3',
      "authkit_queue_depth 7",
    ]);
  });

  it("have buckets from half a millisecond", async () => {
    const metrics = createMetrics("http-0");
    metrics.histogram("authkit_x_seconds", "X", ["route"]).observe(0.0004, { route: "/a" });
    expect(lines(await metrics.text(), "authkit_x_seconds_bucket")[0]).toBe(
      'authkit_x_seconds_bucket{le="0.0005",route="/a"} 1',
    );
  });

  it("add up over the processes of a node; process series keep their worker", async () => {
    const workers = [createMetrics("http-0"), createMetrics("http-1")];
    for (const [i, metrics] of workers.entries()) {
      metrics.counter("authkit_login_total", "Logins", ["result"]).add({ result: "ok" }, i + 1);
      metrics.histogram("authkit_x_seconds", "X").observe(0.2);
    }
    // As it comes over IPC.
    const parts = await Promise.all(
      workers.map(async (metrics) => JSON.parse(JSON.stringify(await metrics.snapshot()))),
    );
    const text = await aggregateMetrics([...parts, null, { odd: true }]);
    expect(lines(text, "authkit_login_total")).toEqual(['authkit_login_total{result="ok"} 3']);
    expect(lines(text, "authkit_x_seconds_count")).toEqual(["authkit_x_seconds_count 2"]);
    const memory = lines(text, "process_resident_memory_bytes").map((line) => line.split(" ")[0]);
    expect(memory).toEqual([
      'process_resident_memory_bytes{worker="http-0"}',
      'process_resident_memory_bytes{worker="http-1"}',
    ]);
  });

  it("are empty text without a part", async () => {
    expect(await aggregateMetrics([])).toBe("");
  });
});
