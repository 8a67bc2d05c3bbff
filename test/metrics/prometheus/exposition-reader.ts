/** Reads the Prometheus text format as its documentation has it, and throws at whatever breaks a rule. */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: ReadSample[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/;
const NUMBER = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d\d+)?)$/;

export function readExposition(text: string): ReadFamily[] {
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families: ReadFamily[] = [];
  const series = new Set<string>();
  const lines = text.slice(0, -1).split("\n");
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? "";
    const help = /^# HELP (\S+) (.*)$/su.exec(line);
    if (help !== null) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++n] ?? "");
      const [, name = "", helpText = ""] = help;
      if (type === null || type[1] !== name) throw new Error(`no type after ${line}`);
      if (families.some((family) => family.name === name)) throw new Error(`${name} comes twice`);
      families.push({ name, help: unescape(helpText), type: type[2] ?? "", samples: [] });
      continue;
    }
    const family = families.at(-1);
    const sample = readSample(line);
    if (family === undefined || !belongs(sample.name, family)) throw new Error(`stray: ${line}`);
    const labels = Object.entries(sample.labels).map((label) => JSON.stringify(label));
    const key = [sample.name, ...labels.toSorted()].join();
    if (series.has(key)) throw new Error(`twice: ${line}`);
    series.add(key);
    family.samples.push(sample);
  }
  return families;
}

function readSample(line: string): ReadSample {
  const name = METRIC_NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name: ${line}`);
  const labels: Record<string, string> = {};
  let rest = line.slice(name.length);
  if (rest.startsWith("{")) {
    do {
      rest = rest.slice(1);
      const [whole, label, value] = LABEL.exec(rest) ?? [];
      if (whole === undefined || label === undefined || value === undefined || label in labels) {
        throw new Error(`bad label: ${line}`);
      }
      labels[label] = unescape(value);
      rest = rest.slice(whole.length);
    } while (rest.startsWith(","));
    if (!rest.startsWith("}")) throw new Error(`labels without end: ${line}`);
    rest = rest.slice(1);
  }
  if (!rest.startsWith(" ")) throw new Error(`no value: ${line}`);
  return { name, labels, value: readNumber(rest.slice(1)) };
}

export function readNumber(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`no number: ${text}`);
  return Number(text.replace("Inf", "Infinity"));
}

function unescape(text: string): string {
  return text.replace(/\\(.)/gsu, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

function belongs(sample: string, family: ReadFamily): boolean {
  if (family.type !== "histogram") return sample === family.name;
  return ["_bucket", "_sum", "_count"].some((suffix) => sample === family.name + suffix);
}
