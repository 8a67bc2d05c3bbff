/** Waiting for something to happen, never longer than a bound. All times are milliseconds. */

/** How often `until` looks again. */
const LOOK_AGAIN = 25;

/** The promise's value; rejects with "no <what> within <bound> ms" if it takes longer than the bound. */
export async function within<T>(bound: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no ${what} within ${bound} ms`)), bound);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until the answer is not undefined, and returns it; rejects at the bound as `within` does. */
export async function until<T>(
  bound: number,
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + bound;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`no ${what} within ${bound} ms`);
    await Bun.sleep(LOOK_AGAIN);
  }
}
