/**
 * Envelopes: how messages between nodes are sealed. Whoever can use the bus can read, change, repeat and invent messages
 * there; only a node that has the secret of the cluster can read or make what is in an envelope.
 *
 * An envelope is a u8 version, 16 bytes that are the id of the sender, a u64 that counts its envelopes (big-endian), the
 * sealed bytes, and a tag of 16 bytes. It is sealed with AES-256-GCM under a key of the sender, by HKDF-SHA256 (RFC 5869)
 * from the secret; the counter is the nonce, so no key seals twice under one nonce. The subject it is sent to is sealed
 * with it, so that it can't be sent elsewhere. Sealed are the time it was sent, as a double in ms, a u8 kind, and a payload.
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

import { ByteReader } from "../socket/byte-reader.ts";
import { ByteWriter } from "../socket/byte-writer.ts";
import type { Codec } from "../socket/codec.ts";
import { MAX_FRAME } from "../socket/frame.ts";
import type { IgnoreReason } from "./cluster-events.ts";

/** Changes with any change to envelopes, kinds or payloads, or to a codec that they use. */
export const CLUSTER_VERSION = 1;

const ID_BYTES = 16;
const COUNTER_START = 1 + ID_BYTES;
const HEADER_BYTES = COUNTER_START + 8;
const TAG_BYTES = 16;

/** The longest envelope, in bytes; below the limit of 1 MB that NATS servers have by default. */
export const MAX_ENVELOPE = MAX_FRAME;

/** How far the clocks of two nodes may differ, in ms. */
const CLOCK_TOLERANCE = 60_000;

/** After this time no envelope of a sender is accepted any more, so that it can be forgotten, in ms. */
const FORGOTTEN_AFTER = 2 * CLOCK_TOLERANCE;

/** Senders that are remembered at once: a restart makes a node another one. */
const MAX_SENDERS = 1_000;

/** Over how long the least delay of a sender's envelopes is looked for, in ms. */
const DELAY_PERIOD = 10_000;

/** What is known of a node from which an envelope came. */
interface Sender {
  readonly key: Buffer;
  /** The highest counter on each subject. NATS keeps the order of what one sender sends to one subject. */
  readonly highest: Map<string, bigint>;
  /** When its last envelope came, in ms of this machine's clock. */
  lastCame: number;
  /** The least that came out for "now minus when it was sent" in this period and the one before, in ms. */
  leastDelay: number;
  leastDelayBefore: number;
  periodSince: number;
}

/** What was in an envelope. */
export interface Opened {
  readonly ok: true;
  readonly sender: string;
  readonly kind: number;
  /**
   * How long it took, in ms, beyond the quickest envelope of that sender within the last seconds: so it does not matter
   * how far the clocks differ.
   */
  readonly lateness: number;
  readonly payload: ByteReader;
  /** Stands for this envelope as the subject of its reply. */
  readonly replySubject: string;
}

export interface EnvelopesParts {
  /** What all nodes of the cluster know and nobody else. */
  readonly secret: Uint8Array;
  /** The name of the cluster: with one secret, two clusters do not understand each other. */
  readonly cluster: string;
  /** The time of day, in ms since 1970. */
  readonly timeOfDay: () => number;
}

/** Seals the envelopes of one node, and opens those of others. */
export class Envelopes {
  /** The id of this node, 32 hexadecimal digits; a new one after each start. */
  readonly id: string;
  readonly #parts: EnvelopesParts;
  readonly #idBytes = randomBytes(ID_BYTES);
  readonly #key: Buffer;
  readonly #senders = new Map<string, Sender>();
  readonly #writer = new ByteWriter();
  #counter = 0n;

  constructor(parts: EnvelopesParts) {
    this.#parts = parts;
    this.id = this.#idBytes.toString("hex");
    this.#key = this.#keyOf(this.#idBytes);
  }

  /** Seals a message. `replySubject` stands for the envelope, for whoever gets its reply. */
  seal<T>(subject: string, kind: number, codec: Codec<T>, value: T): Sealed {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(CLUSTER_VERSION);
    this.#idBytes.copy(header, 1);
    header.writeBigUInt64BE(++this.#counter, COUNTER_START);
    const writer = this.#writer;
    writer.whole(Math.trunc(this.#parts.timeOfDay()));
    writer.u8(kind);
    codec.write(writer, value);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(header));
    cipher.setAAD(Buffer.concat([header, Buffer.from(subject)]));
    const sealed = cipher.update(writer.bytes);
    writer.drop(writer.length);
    cipher.final();
    return {
      bytes: Buffer.concat([header, sealed, cipher.getAuthTag()]),
      replySubject: replySubjectOf(header),
    };
  }

  /** Opens what came on a subject. */
  open(subject: string, envelope: Buffer): Opened | Refused {
    if (envelope.length > MAX_ENVELOPE) return refused("too-large");
    if (envelope.length < HEADER_BYTES + TAG_BYTES) return refused("malformed");
    if (envelope.readUInt8() !== CLUSTER_VERSION) return refused("other-version");
    const now = this.#parts.timeOfDay();
    const header = envelope.subarray(0, HEADER_BYTES);
    const id = header.subarray(1, COUNTER_START);
    const name = id.toString("hex");
    const known = this.#senders.get(name);
    const key = known?.key ?? this.#keyOf(id);
    const counter = header.readBigUInt64BE(COUNTER_START);
    const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(header));
    decipher.setAAD(Buffer.concat([header, Buffer.from(subject)]));
    decipher.setAuthTag(envelope.subarray(-TAG_BYTES));
    const content = decipher.update(envelope.subarray(HEADER_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      // That is how it says that the tag is wrong.
      return refused("forged");
    }
    const payload = new ByteReader(content);
    const sent = payload.whole();
    const kind = payload.u8();
    if (Math.abs(now - sent) > CLOCK_TOLERANCE) return refused("other-time");
    const sender = known ?? this.#remember(name, key, now);
    if (sender === undefined) return refused("too-many-nodes");
    // The reply to a request that nobody makes twice can't be a repetition: its subject is that request.
    if (!isReplySubject(subject)) {
      if (counter <= (sender.highest.get(subject) ?? 0n)) return refused("replayed");
      sender.highest.set(subject, counter);
    }
    sender.lastCame = now;
    const lateness = latenessOf(sender, now - sent, now);
    return {
      ok: true,
      sender: name,
      kind,
      lateness,
      payload,
      replySubject: replySubjectOf(header),
    };
  }

  #keyOf(id: Buffer): Buffer {
    const { secret, cluster } = this.#parts;
    return Buffer.from(hkdfSync("sha256", secret, id, `snowflake-broker cluster ${cluster}`, 32));
  }

  #remember(name: string, key: Buffer, now: number): Sender | undefined {
    if (this.#senders.size >= MAX_SENDERS) {
      for (const [other, { lastCame }] of this.#senders) {
        if (now - lastCame > FORGOTTEN_AFTER) this.#senders.delete(other);
      }
      if (this.#senders.size >= MAX_SENDERS) return undefined;
    }
    const sender = {
      key,
      highest: new Map<string, bigint>(),
      lastCame: now,
      leastDelay: Infinity,
      leastDelayBefore: Infinity,
      periodSince: now,
    };
    this.#senders.set(name, sender);
    return sender;
  }
}

/** An envelope, and what stands for it as the subject of its reply. */
export interface Sealed {
  readonly bytes: Buffer;
  readonly replySubject: string;
}

export interface Refused {
  readonly ok: false;
  readonly reason: IgnoreReason;
}

function refused(reason: IgnoreReason): Refused {
  return { ok: false, reason };
}

/** No name of a subject has a space. */
const REPLY_TO = "reply to ";

function replySubjectOf(header: Buffer): string {
  return REPLY_TO + header.toString("hex");
}

function isReplySubject(subject: string): boolean {
  return subject.startsWith(REPLY_TO);
}

/** The counter, in 12 bytes. */
function nonceOf(header: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  header.copy(nonce, 4, COUNTER_START);
  return nonce;
}

function latenessOf(sender: Sender, delay: number, now: number): number {
  if (now - sender.periodSince > DELAY_PERIOD) {
    sender.leastDelayBefore = sender.leastDelay;
    sender.leastDelay = Infinity;
    sender.periodSince = now;
  }
  sender.leastDelay = Math.min(sender.leastDelay, delay);
  return delay - Math.min(sender.leastDelay, sender.leastDelayBefore);
}
