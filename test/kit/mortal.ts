/** Processes that don't outlive the one that started them. */

/**
 * The command so that the kernel kills its process when ours has ended, even by SIGKILL. The process id stays the
 * command's own. Without setpriv (util-linux) it is the command as it is.
 */
export function mortal(command: readonly string[]): string[] {
  const wrapper = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
  return [...wrapper, ...command];
}
