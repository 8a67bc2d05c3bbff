/** The collectors of prom-client one by one. The library declares only all of them at once. */

declare module "prom-client/lib/metrics/processCpuTotal.js" {
  import type { Registry } from "prom-client";
  export default function collect(registry: Registry, options: { prefix: string }): void;
}

declare module "prom-client/lib/metrics/processStartTime.js" {
  import type { Registry } from "prom-client";
  export default function collect(registry: Registry, options: { prefix: string }): void;
}

declare module "prom-client/lib/metrics/processMaxFileDescriptors.js" {
  import type { Registry } from "prom-client";
  export default function collect(registry: Registry, options: { prefix: string }): void;
}
