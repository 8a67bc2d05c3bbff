/** The states of a connection's streams: idle, open or closed (RFC 9113 section 5.1). */

import type { Stream } from "./stream.ts";

/** Streams that may be open at once on one connection. The same number as in the reference. */
export const MAX_STREAMS = 250;

/** The open streams of one connection, and which closed ones may still receive frames. */
export class StreamList {
  /** The last stream that the peer has opened; 0: there was none. */
  lastId = 0;
  /** In no order. An array takes less memory than a map, and most frames are for the newest stream. */
  readonly open: Stream[] = [];
  /** The last `MAX_STREAMS` streams that we ended before the peer did: frames for them may be on their way. */
  #endedEarly: number[] | undefined = undefined;

  find(id: number): Stream | undefined {
    const { open } = this;
    for (let at = open.length - 1; at >= 0; at--) if (open[at]?.id === id) return open[at];
    return undefined;
  }

  remove(stream: Stream): void {
    const at = this.open.lastIndexOf(stream);
    const last = at < 0 ? undefined : this.open.pop();
    if (last !== undefined && last !== stream) this.open[at] = last;
  }

  /** Whether the stream was never opened. Even numbers are for streams of the server, which opens none. */
  isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0;
  }

  /** Notes that we ended a stream which the peer may not have ended. */
  endEarly(id: number): void {
    this.#endedEarly ??= [];
    if (this.#endedEarly.push(id) > MAX_STREAMS) this.#endedEarly.shift();
  }

  /** Whether we ended this stream first, so that frames for it are no error of the peer. */
  wasEndedEarly(id: number): boolean {
    return this.#endedEarly?.includes(id) === true;
  }

  /** Notes that the peer has ended the stream too. */
  peerEnded(id: number): void {
    const at = this.#endedEarly?.indexOf(id) ?? -1;
    if (at >= 0) this.#endedEarly?.splice(at, 1);
  }
}
