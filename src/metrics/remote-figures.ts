/** The figures for Prometheus where the core that counts is another process. */

import { Gauge, Registry } from "prom-client";

import packageJson from "../../package.json" with { type: "json" };
import type { ExpositionSource } from "../frontend/http/prometheus-route.ts";
import type { ConnectionEvents } from "../http/server.ts";
import type { PageOutcome } from "../link/socket/pages.ts";
import type { CertificateEvents } from "../tls/certificate-events.ts";
import { certificateFamilies } from "./prometheus/certificate-families.ts";
import { connectionFamilies } from "./prometheus/connection-families.ts";
import { EventLoopLag } from "./prometheus/event-loop-lag.ts";
import { type Family, formatExposition, type Sample } from "./prometheus/exposition.ts";
import { registerProcessFamilies } from "./prometheus/process-families.ts";

const PAGE = "prometheus";

/** The name of the page with these families, or with all. */
export function formatFiguresPage(families: ReadonlySet<string> | undefined): string {
  return families === undefined ? PAGE : [PAGE, ...families].join(" ");
}

/** Which families a page is asked for; undefined: it is no page of figures. */
export function parseFiguresPage(
  name: string,
): { readonly families: ReadonlySet<string> | undefined } | undefined {
  const [page, ...families] = name.split(" ");
  if (page !== PAGE) return undefined;
  return { families: families.length === 0 ? undefined : new Set(families) };
}

/**
 * The samples of a family, those of this process marked with its id. Workers share a port, so a scrape reaches one by
 * chance: without the mark, the counters of one would fall to those of another.
 */
function withProcess(family: Pick<Family, "name" | "values">): readonly Sample[] {
  if (!family.name.startsWith(NAMESPACE)) return family.values;
  return family.values.map(({ labels, ...sample }) => ({
    ...sample,
    labels: { ...labels, pid: process.pid },
  }));
}

/** What is asked of the core. */
export interface Core {
  readonly connected: boolean;
  page(name: string): Promise<PageOutcome>;
}

/** What the names of a frontend's own families begin with, unless the core has none of that name. */
const NAMESPACE = "snowflake_frontend_";

/** The core's figures, and beside them the frontend's own: its process, its certificate, and whether it has a core. */
export class RemoteFigures implements ExpositionSource {
  readonly #core: Core;
  readonly #registry = new Registry();
  readonly #lag: EventLoopLag;
  /** Told of the connections of this process. */
  readonly connections: ConnectionEvents;
  /** Told of the certificates of this process. */
  readonly certificates: CertificateEvents;

  /** Measures the event loop's lag until it is closed. */
  constructor(core: Core) {
    this.#core = core;
    registerProcessFamilies(this.#registry, packageJson.version, NAMESPACE);
    this.#lag = new EventLoopLag(this.#registry, NAMESPACE);
    this.connections = connectionFamilies(this.#registry, NAMESPACE, this.#lag);
    this.certificates = certificateFamilies(this.#registry);
    this.#registry.registerMetric(
      new Gauge({
        name: `${NAMESPACE}core_connected`,
        help: "1 if the frontend is connected to its core, else 0.",
        registers: [],
        collect() {
          this.set(core.connected ? 1 : 0);
        },
      }),
    );
  }

  /** Without a core only those of the frontend, which say so; undefined if the core is there and gives none. */
  async exposition(names?: ReadonlySet<string>): Promise<string | undefined> {
    const page = await this.#core.page(formatFiguresPage(names));
    if (page.kind !== "page" && this.#core.connected) return undefined;
    const figures = page.kind === "page" ? new TextDecoder().decode(page.bytes) : "";
    const families = await this.#registry.getMetricsAsJSON();
    const own = formatExposition(
      families
        .filter((family) => names === undefined || names.has(family.name))
        .map((family) => ({ ...family, type: String(family.type), values: withProcess(family) })),
    );
    return figures + own;
  }

  /** Stops what measures on its own. */
  close(): void {
    this.#lag.close();
  }
}
