import { Gauge, type Registry } from 'prom-client';

/** How many places of what is bounded are taken now, by kind. Asked for as often as metrics are: it costs no look at each. */
export type PlacesInUse = Readonly<Record<string, () => number>>;

/** Has the metrics show what is taken of each kind, so that whatever gives a place back never shows. */
export function showPlaces(metrics: Registry, all: readonly PlacesInUse[]): void {
  const kinds = all.flatMap((places) => Object.entries(places));
  new Gauge({
    name: 'ferry_nbi_places_in_use',
    help: 'Northbound requests, and what of them is bounded, under way now, by kind; that of /metrics itself is one of reserved',
    labelNames: ['kind'],
    registers: [metrics],
    collect() {
      for (const [kind, taken] of kinds) this.set({ kind }, taken());
    },
  });
}
