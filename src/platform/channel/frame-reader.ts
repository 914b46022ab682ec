import { CHUNK, FRAME_HEADER, ProtocolViolation } from "./frame.ts";

/** The head of a message may be this large beside its first chunk of body. */
const MAX_PAYLOAD = 1024 * 1024 + CHUNK;

export type FrameSink = (type: number, id: number, payload: Buffer) => void;

/**
 * Cuts a byte stream into frames. The returned function takes what was received; payloads are views, valid as long as they are referenced.
 * Throws `ProtocolViolation` for an oversized frame.
 */
export function createFrameReader(sink: FrameSink): (received: Buffer) => void {
  let rest: Buffer | undefined;
  return (received) => {
    const data = rest ? Buffer.concat([rest, received]) : received;
    let at = 0;
    while (data.length - at >= FRAME_HEADER) {
      const length = data.readUInt32BE(at);
      if (length > MAX_PAYLOAD) throw new ProtocolViolation(`a frame of ${length} bytes`);
      const end = at + FRAME_HEADER + length;
      if (end > data.length) break;
      sink(data[at + 4] ?? 0, data.readUInt32BE(at + 5), data.subarray(at + FRAME_HEADER, end));
      at = end;
    }
    rest = at < data.length ? data.subarray(at) : undefined;
  };
}
