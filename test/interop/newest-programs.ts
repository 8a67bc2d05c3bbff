import { join } from "node:path";

/** Upstream's programs of the newest version, as paths. */
export interface NewestPrograms {
  readonly client: string;
  readonly proxy: string;
  readonly server: string;
}

/** What has to be given where they are needed. */
export const NEWEST_NEEDED =
  "SNOWFLAKE_PEERS_DIR, a directory with upstream's newest client, proxy and server";

/** The programs in the directory that SNOWFLAKE_PEERS_DIR names, there or not; undefined if it is not set. */
export function newestPrograms(): NewestPrograms | undefined {
  const directory = process.env["SNOWFLAKE_PEERS_DIR"] ?? "";
  if (directory === "") return undefined;
  return {
    client: join(directory, "client"),
    proxy: join(directory, "proxy"),
    server: join(directory, "server"),
  };
}
