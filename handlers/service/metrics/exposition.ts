// Prometheus text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/

type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  /** Appended to the family's name, such as `_bucket` of a histogram. */
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}

/** A measured quantity with the help that a person reads, and one sample for each set of labels. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

/** A family of one sample without labels. */
export const single = (type: "counter" | "gauge", name: string, help: string, value: number): Family => ({
  name,
  help,
  type,
  samples: [{ value }],
});

const escaped = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function labelsOf(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** The families as text. One without samples is left out. */
export const exposition = (families: readonly Family[]): string =>
  families
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, type, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ suffix = "", labels, value }) => `${name}${suffix}${labelsOf(labels)} ${value}`),
    ])
    .join("\n")
    .concat("\n");
