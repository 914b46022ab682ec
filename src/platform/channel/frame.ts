/**
 * The wire format of a channel. A frame is: payload length (u32), type (u8), request id (u32), payload; all integers big-endian.
 *
 * `call` and `reply` carry: length of the head (u32), length of the whole body (u32), the head as JSON, the first part of the body. The rest
 * of a body follows in `body` frames of the same id. `failed` carries a text; the other types carry nothing.
 */
export const FRAME_HEADER = 9;
export const MESSAGE_HEADER = 8;
/** Bytes of body in one frame, so that a large body delays others only for as long as this takes. */
export const CHUNK = 64 * 1024;

export const frameType = {
  call: 1,
  body: 2,
  /** The client has lost interest. */
  cancel: 3,
  /** The client will send no further call on this connection. */
  leaving: 4,
  reply: 5,
  /** The handler threw. */
  failed: 6,
  /** The server is about to stop: send new calls elsewhere. */
  goAway: 7,
} as const;

export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

/** The peer's handler threw; the peer has logged the reason. */
export class ChannelFailure extends Error {
  override readonly name = "ChannelFailure";
}
