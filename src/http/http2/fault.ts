/** Errors that end a connection. */

import type { Bound } from "../limits.ts";
import { ERROR, type ErrorCode } from "./frame.ts";

/** The code of the GOAWAY, and the bound that has struck, if it was one. */
export interface Fault {
  readonly code: ErrorCode;
  readonly bound?: Bound;
}

export const PROTOCOL_FAULT: Fault = { code: ERROR.protocol };
export const FRAME_SIZE_FAULT: Fault = { code: ERROR.frameSize };
export const STREAM_CLOSED_FAULT: Fault = { code: ERROR.streamClosed };
export const FLOW_CONTROL_FAULT: Fault = { code: ERROR.flowControl };
export const COMPRESSION_FAULT: Fault = { code: ERROR.compression };

/** The peer did something more often than the bound allows. */
export function flood(bound: Bound): Fault {
  return { code: ERROR.enhanceYourCalm, bound };
}
