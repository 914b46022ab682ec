import { AbstractConnector } from "ioredis";

type Stream = Awaited<ReturnType<AbstractConnector["connect"]>>;

const streams = new WeakMap<object, Stream>();

/**
 * Makes later errors of a socket harmless. The driver listens for the first one only, and a refused certificate is often followed by an
 * alert of the server: without a listener that second error would end the process. Every connection of the driver is covered, also those
 * it opens by itself to Sentinels and to the nodes of a Cluster, because every one puts its socket into this property.
 */
Object.defineProperty(AbstractConnector.prototype, "stream", {
  get(this: object) {
    return streams.get(this);
  },
  set(this: object, stream: Stream) {
    stream.on("error", () => undefined);
    streams.set(this, stream);
  },
});
