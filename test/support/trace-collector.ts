import { createServer } from "node:http";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { until } from "./outcome.ts";

const Attributes = Type.Array(Type.Object({ key: Type.String(), value: Type.Object({}) }));
const Export = Type.Object({
  resourceSpans: Type.Array(
    Type.Object({
      resource: Type.Object({ attributes: Attributes }),
      scopeSpans: Type.Array(
        Type.Object({
          spans: Type.Array(
            Type.Object({
              traceId: Type.String(),
              spanId: Type.String(),
              parentSpanId: Type.Optional(Type.String()),
              name: Type.String(),
              kind: Type.Number(),
              attributes: Attributes,
              status: Type.Object({ code: Type.Optional(Type.Number()) }),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** Values by attribute name; numbers as text, as OTLP's JSON has them. */
export type CollectedAttributes = Readonly<Record<string, string>>;

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: "server" | "client" | "consumer" | "other";
  readonly failed: boolean;
  readonly attributes: CollectedAttributes;
  /** Of the process it comes from. */
  readonly resource: CollectedAttributes;
}

/** An OTLP/HTTP collector on loopback that keeps in memory what it gets. */
export interface TraceCollector {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Everything received, as text. */
  text(): string;
  /** The first span that fits, once it has arrived. */
  find(what: string, fits: (span: CollectedSpan) => boolean): Promise<CollectedSpan>;
  close(): Promise<void>;
}

const kinds: Readonly<Record<number, CollectedSpan["kind"]>> = { 2: "server", 3: "client", 5: "consumer" };
const errorStatus = 2;

function plain(attributes: Static<typeof Attributes>): CollectedAttributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}

function spansOf(text: string): CollectedSpan[] {
  const { resourceSpans } = Value.Parse(Export, JSON.parse(text));
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        name: span.name,
        kind: kinds[span.kind] ?? "other",
        failed: span.status.code === errorStatus,
        attributes: plain(span.attributes),
        resource: plain(resource.attributes),
      })),
    ),
  );
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  let received = "";
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      received += text;
      spans.push(...spansOf(text));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`,
    spans,
    text: () => received,
    async find(what, fits) {
      await until(what, 10, () => spans.some(fits));
      const found = spans.find(fits);
      if (found === undefined) throw new Error(`no span: ${what}`);
      return found;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
