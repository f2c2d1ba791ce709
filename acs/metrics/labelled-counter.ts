import { Counter, type Registry } from 'prom-client';

/** A counter with one label. It counts in a plain map and tells prom-client when asked, since some count several times a session. */
export class LabelledCounter {
  readonly #counts = new Map<string, number>();

  constructor(
    registry: Registry,
    options: { readonly name: string; readonly help: string; readonly label: string },
  ) {
    const { name, help, label } = options;
    const counts = this.#counts;
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of counts) this.inc({ [label]: value }, count);
      },
    });
  }

  /** @param value  of the label; from a fixed set, never from outside */
  inc(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }
}
