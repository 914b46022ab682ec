import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEmbeddedClient, createRemoteClient } from "../../../src/client/index.ts";
import type { HandlerTable } from "../../../src/management/context.ts";
import { createDispatch, type Dispatch } from "../../../src/management/dispatch.ts";
import { createForwarder } from "../../../src/management/forwarder.ts";
import { createFront } from "../../../src/management/front.ts";
import { createLocalCall } from "../../../src/management/local.ts";
import { packReply, unpackCall } from "../../../src/management/message.ts";
import { connectChannel, listenChannel } from "../../../src/platform/channel/index.ts";
import type { HttpHandler, HttpListener } from "../../../src/platform/http/engine.ts";
import { selectHttpEngine } from "../../../src/platform/http/select.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { testConfig } from "../../support/config.ts";
import { describeClient } from "./suite.ts";

const config = testConfig();
const token = "test-management-token";
const log = silentLog;
const limits = { check: () => Promise.resolve(undefined) };
const clientIp = (): undefined => undefined;

function dispatchOver(handlers: HandlerTable): Dispatch {
  const audit = { record: () => Promise.resolve() };
  return createDispatch({ handlers, config, audit, log, metrics: createMetrics("test") });
}

async function serve(handler: HttpHandler): Promise<HttpListener> {
  const engine = await selectHttpEngine("auto", {}, log);
  return engine.listen({ host: "127.0.0.1", port: 0 }, handler);
}

const quickly = { lingerMs: 0, timeoutMs: 500 };

describeClient(
  "the remote client against the management listener",
  async (handlers) => {
    const front = createFront({
      config: config.management,
      limits,
      log,
      clientIp,
      dispatch: dispatchOver(handlers),
    });
    const listener = await serve(front);
    return {
      client: createRemoteClient(`http://127.0.0.1:${listener.port}//`, token),
      stop: () => listener.drain(quickly),
    };
  },
  { retries: true },
);

describeClient(
  "the remote client through an http worker",
  async (handlers) => {
    const dispatch = dispatchOver(handlers);
    const directory = await mkdtemp(join(tmpdir(), "authkit-client-"));
    const path = join(directory, "management.sock");
    const server = await listenChannel(
      path,
      async (request, signal) => packReply(await dispatch(unpackCall(request), signal)),
      { log },
    );
    const channel = connectChannel([path], { log });
    const listener = await serve(createForwarder({ channel, config, log, limits, clientIp }));
    return {
      client: createRemoteClient(`http://127.0.0.1:${listener.port}`, token),
      stop: async () => {
        await listener.drain(quickly);
        await channel.close();
        await server.drain(500);
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
  { retries: true },
);

describeClient(
  "the embedded client",
  async (handlers) => ({
    client: createEmbeddedClient({ call: createLocalCall(dispatchOver(handlers)) }),
    stop: () => Promise.resolve(),
  }),
  { retries: false },
);
