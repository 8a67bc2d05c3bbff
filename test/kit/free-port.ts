/** Ports for programs that can't be asked to choose one. */

/** Below the ports that the kernel gives to outgoing connections: nobody takes one by accident. */
const LOWEST = 20_000;
const HIGHEST = 30_000;

/** Those that this process has given out: whoever asked may not listen yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that was free a moment ago, another one each time. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (given.has(port)) continue;
    given.add(port);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch (error) {
      const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!inUse) throw error;
    }
  }
}
