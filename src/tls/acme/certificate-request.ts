/** The certificate request that finalizes an order: PKCS #10 (RFC 2986), signed with ECDSA and SHA-256. */

import { createPublicKey, type KeyObject, sign } from "node:crypto";

import { DER_TAG, encodeDer, encodeObjectIdentifier } from "./der.ts";
import type { AcmeHostnames } from "./hostnames.ts";

const { bitString, context0, dnsName, integer, octetString, sequence, set, utf8String } = DER_TAG;

/** RFC 5280, appendix A.1. */
const COMMON_NAME = encodeObjectIdentifier("2.5.4.3");
/** RFC 2985, 5.4.2. */
const EXTENSION_REQUEST = encodeObjectIdentifier("1.2.840.113549.1.9.14");
/** RFC 5280, 4.2.1.6. */
const SUBJECT_ALTERNATIVE_NAME = encodeObjectIdentifier("2.5.29.17");
/** RFC 5758, 3.2. */
const ECDSA_WITH_SHA256 = encodeObjectIdentifier("1.2.840.10045.4.3.2");

/** Characters of the longest common name (`ub-common-name` in RFC 5280, appendix A.1). */
const LONGEST_COMMON_NAME = 64;

/** DER. `key`: the private key that the certificate will be for, on the curve P-256. */
export function createCertificateRequest(hostnames: AcmeHostnames, key: KeyObject): Buffer {
  const information = encodeDer(
    sequence,
    encodeDer(integer, Uint8Array.of(0)),
    encodeSubject(hostnames[0]),
    createPublicKey(key).export({ type: "spki", format: "der" }),
    encodeDer(context0, encodeExtensionRequest(hostnames)),
  );
  return encodeDer(
    sequence,
    information,
    encodeDer(sequence, ECDSA_WITH_SHA256),
    // A bit string begins with how many bits of its last octet are unused.
    encodeDer(bitString, Uint8Array.of(0), sign("sha256", information, key)),
  );
}

/** The host name as the common name; empty if the name is too long for that. */
function encodeSubject(hostname: string): Buffer {
  if (hostname.length > LONGEST_COMMON_NAME) return encodeDer(sequence);
  const name = encodeDer(utf8String, Buffer.from(hostname));
  return encodeDer(sequence, encodeDer(set, encodeDer(sequence, COMMON_NAME, name)));
}

function encodeExtensionRequest(hostnames: AcmeHostnames): Buffer {
  const names = hostnames.map((hostname) => encodeDer(dnsName, Buffer.from(hostname)));
  const extension = encodeDer(
    sequence,
    SUBJECT_ALTERNATIVE_NAME,
    encodeDer(octetString, encodeDer(sequence, ...names)),
  );
  return encodeDer(sequence, EXTENSION_REQUEST, encodeDer(set, encodeDer(sequence, extension)));
}
