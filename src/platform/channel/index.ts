export { type ChannelClientOptions, connectChannel } from "./client.ts";
export { ChannelFailure } from "./frame.ts";
export {
  type ChannelClient,
  type ChannelHandler,
  type ChannelReply,
  type ChannelRequest,
  type ChannelServer,
  ChannelUnavailable,
} from "./port.ts";
export { type ChannelServerOptions, listenChannel } from "./server.ts";
