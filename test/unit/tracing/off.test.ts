import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { HttpHandler } from "../../../src/platform/http/engine.ts";
import { traceRequests } from "../../../src/platform/http/traced-request.ts";

test("without tracing a request takes the same way as if there were none", () => {
  const handler: HttpHandler = () => undefined;
  expect(traceRequests(handler, undefined)).toBe(handler);
});

const start = join(import.meta.dirname, "../../../src/platform/tracing/start.ts");

test("an SDK that was loaded beforehand is used, and no second one started", () => {
  const program = `
    const { startNodeSdk } = await import("@opentelemetry/sdk-node");
    const sdk = startNodeSdk({ spanProcessors: [{ onStart(span) { console.log(span.name); }, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} }], metricReaders: [], logRecordProcessors: [] });
    const { startTracing } = await import(${JSON.stringify(start)});
    const log = { warn(_, text) { console.log(text); } };
    const tracing = await startTracing("http-0", log);
    await tracing.span("ours", { kind: "server" }, async () => console.log(Object.keys(tracing.fields()).join()));
    await sdk.shutdown();`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
  expect({ stdout, stderr }).toEqual({ stdout: "ours\ntrace_id,span_id\n", stderr: "" });
});
