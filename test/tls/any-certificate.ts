/** A certificate for tests that only need one: made once, so that they need no program to make it. */

import type { TlsFiles } from "../../src/tls/certificate.ts";

/** Self-signed, for `a.example`, for a hundred years from 2026. Its key is no secret. */
export const ANY_CERTIFICATE: TlsFiles = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnjCCAUWgAwIBAgIUJNeMLMBuAWQpSr4lMW3NZJKaylMwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwObWFkZSBmb3IgdGVzdHMwIBcNMjYxMTIyMTY1MjI0WhgPMjEy
NjEwMjkxNjUyMjRaMBkxFzAVBgNVBAMMDm1hZGUgZm9yIHRlc3RzMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEkBP6YY71S+CGIsKfJPuqgoK8FCQtSZPuLLttemsW
urpwh1eppp7tLvnh98Dp3A7Q0ObKyvTea5R6O/I1azg/SqNpMGcwHQYDVR0OBBYE
FEL6WYzmeJN+yivha0EWpPgW4s+fMB8GA1UdIwQYMBaAFEL6WYzmeJN+yivha0EW
pPgW4s+fMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJYS5leGFtcGxlMAoG
CCqGSM49BAMCA0cAMEQCIFz7MvmnjiUPGw1Se/em64JDUsfbTb/N7StKbxhX4Cpk
AiBWBuPfyu3exeECbiOrDJ631JiP7CitLiIB8dcTzaU9cQ==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg82mivVMfBB1LD/5x
iVnpx6glGkf1Hvn9/v0RvjeysX2hRANCAASQE/phjvVL4IYiwp8k+6qCgrwUJC1J
k+4su216axa6unCHV6mmnu0u+eH3wOncDtDQ5srK9N5rlHo78jVrOD9K
-----END PRIVATE KEY-----
`,
};
