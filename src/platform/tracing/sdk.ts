import { hostname } from "node:os";
import { startNodeSdk } from "@opentelemetry/sdk-node";

/**
 * Starts the SDK with the standard `OTEL_*` variables, for traces alone: logs and metrics of this program go their own ways.
 *
 * @returns what sends the rest and ends it
 */
export function startSdk(worker: string, environment: NodeJS.ProcessEnv = process.env): () => Promise<void> {
  const named =
    environment["OTEL_SERVICE_NAME"] !== undefined ||
    environment["OTEL_RESOURCE_ATTRIBUTES"]?.includes("service.name=");
  const sdk = startNodeSdk({
    // These win over the environment, so the name is given only where it says none.
    resourceAttributes: {
      ...(named ? {} : { "service.name": "authkit-server" }),
      "service.instance.id": `${hostname()}/${worker}/${process.pid}`,
    },
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  });
  return () => sdk.shutdown();
}
