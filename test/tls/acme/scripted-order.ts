/** Orders from an authority that follows a script. */

import { AcmeAuthority, type AcmeAuthorityParts } from "../../../src/tls/acme/authority.ts";
import { AuthorityError } from "../../../src/tls/acme/request.ts";
import type { TlsFiles } from "../../../src/tls/certificate.ts";
import { within } from "../../interop/waiting.ts";
import { LogLines } from "../log-lines.ts";
import { FakeAuthority } from "./fake-authority.ts";

/** Longest time of an order, in ms. */
const BOUND = 10_000;
/** A thousandth of the program's: orders stay in one status for 180 ms at most. */
const LOOK_AGAIN = 2;
/** Characters of the longest message: its names, and five texts of the authority. */
const LONGEST_MESSAGE = 4_000;

export class ScriptedOrder implements Disposable {
  readonly fake: FakeAuthority;
  readonly challenges = new Map<string, string>();
  readonly log = new LogLines();
  /** The account's key, PEM. */
  storedKey: string | undefined;
  readonly #ca: string;

  /** `tls`: a certificate for localhost. */
  constructor(tls: TlsFiles) {
    this.fake = new FakeAuthority(tls);
    this.#ca = tls.cert;
  }

  [Symbol.dispose](): void {
    this.fake[Symbol.dispose]();
  }

  /** A certificate for `a.example` and `b.example`. */
  issue(
    parts: Partial<AcmeAuthorityParts> = {},
    signal = new AbortController().signal,
  ): Promise<TlsFiles> {
    const authority = new AcmeAuthority({
      directory: this.fake.directory,
      ca: this.#ca,
      email: "operator@a.example",
      accountKeys: {
        readAccountKey: () => this.storedKey,
        writeAccountKey: (key) => {
          this.storedKey = key;
        },
      },
      challenges: this.challenges,
      log: this.log.log,
      lookAgain: LOOK_AGAIN,
      ...parts,
    });
    const issued = authority.issue(["a.example", "b.example"], signal);
    return within(BOUND, "end of the order", issued);
  }

  /** Why the order fails. Checks that it leaves no challenge, and that the message fits into a line of the log. */
  async failure(
    parts: Partial<AcmeAuthorityParts> = {},
    signal?: AbortSignal,
  ): Promise<AuthorityError> {
    const error: unknown = await this.issue(parts, signal).then(
      () => new Error("the order does not fail"),
      (reason: unknown) => reason,
    );
    if (!(error instanceof AuthorityError)) throw error;
    const { message } = error;
    if (this.challenges.size > 0) throw new Error("a challenge is left");
    if (message.includes("\n") || message.length > LONGEST_MESSAGE) {
      throw new Error(`a message of ${message.length} characters: ${JSON.stringify(message)}`);
    }
    return error;
  }
}
