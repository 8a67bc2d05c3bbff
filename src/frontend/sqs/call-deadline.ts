/** Calls that end in time, whatever the other side is busy with. */

/** A call took longer than it may. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout";
}

/**
 * Lets a call take `ms` and no longer, and no longer than until `stop` aborts. Rejects with `CallTimeout` or what
 * `stop` aborted with, and aborts the signal that the call was given; what then becomes of the call is of no interest.
 */
export async function within<T>(
  ms: number,
  call: (abort: AbortSignal) => Promise<T>,
  stop?: AbortSignal,
): Promise<T> {
  stop?.throwIfAborted();
  const abort = new AbortController();
  const cut = Promise.withResolvers<never>();
  abort.signal.addEventListener("abort", () => cut.reject(abort.signal.reason));
  const timer = setTimeout(() => abort.abort(new CallTimeout(`no reply within ${ms} ms`)), ms);
  const onStop = () => abort.abort(stop?.reason);
  stop?.addEventListener("abort", onStop);
  try {
    return await Promise.race([call(abort.signal), cut.promise]);
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener("abort", onStop);
  }
}
