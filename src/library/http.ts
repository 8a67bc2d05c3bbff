/** `snowflake-broker/http`: the server for HTTP/1.1 and HTTP/2, which knows nothing of brokers. It runs on Bun. */

export { type Bound, BOUNDS } from "../http/limits.ts";
export type {
  BodySource,
  Exchange,
  Handler,
  HttpRequest,
  Reply,
  ReplyHead,
  RequestBody,
} from "../http/message.ts";
export {
  type ConnectionEvents,
  HttpServer,
  type HttpServerParts,
  NO_CONNECTION_EVENTS,
} from "../http/server.ts";
export type { TlsCredentials } from "../http/sockets.ts";
export { TIME_LIMITS, type TimeLimits } from "../http/time-limits.ts";
