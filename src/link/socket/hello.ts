/** The first frame either side sends. Its form is the one thing that never changes from version to version. */

import type { Codec } from "./codec.ts";

/** What a process is in the link, in the order of its numbers on the wire. */
const ROLES = ["core", "http-frontend"] as const;

export type Role = (typeof ROLES)[number];

export interface Hello {
  readonly version: number;
  /** Undefined: one that only another version knows. */
  readonly role: Role | undefined;
}

/** "SBLK", so that nothing else is taken for a hello. */
const MAGIC = 0x4b4c4253;

export const HELLO: Codec<Hello> = {
  write(to, { version, role }) {
    to.u32(MAGIC);
    to.u32(version);
    to.u8(role === undefined ? 0xff : ROLES.indexOf(role));
  },
  read(from) {
    if (from.u32() !== MAGIC) return undefined;
    return { version: from.u32(), role: ROLES[from.u8()] };
  },
};
