/** Work that is asked for more often than it can be done. */

/**
 * Makes a function that does the work, but never twice at once: whoever asks while it is under way has it done once
 * more afterwards, together with all others who ask meanwhile. Fifty reloads of the country files side by side took
 * 1.3 GB. A promise of the function settles with the round of work that began after it was asked for.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    running = work().finally(() => {
      if (next === undefined) running = undefined;
    });
    return running;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
}
