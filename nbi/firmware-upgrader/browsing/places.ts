import { isObject, type JsonObject } from '../../http/index.js';
import type { Crumb } from '../../pages/index.js';
import { PATH_ID, PREFIX } from '../manners/index.js';

/** How pages speak of what is at a path, and where they lead from there. */
export interface Place {
  /** What this very thing is called. @param data  the answer of GET, empty where there is none */
  name(data: JsonObject): string;
  /** What has to do with it. @param here  its path @param data  the answer of GET */
  leads?(here: string, data: JsonObject): readonly Crumb[];
}

/** The lists that all begins with, on every page. */
export const LISTS: readonly Crumb[] = [
  { name: 'Categories', path: `${PREFIX}category/` },
  { name: 'Builds', path: `${PREFIX}build/` },
  { name: 'Batches', path: `${PREFIX}batch-upgrade-operation/` },
  { name: 'Operations', path: `${PREFIX}upgrade-operation/` },
];

/** By the path of their endpoint, behind the prefix. Where one begins with another, it is below it. */
const PLACES: Readonly<Record<string, Place>> = {
  'category/': { name: () => 'Categories' },
  'category/{id}/': {
    name: (data) => textIn(data, 'name') || 'Category',
    leads: (_here, data) => [
      { name: 'Its builds', path: `${PREFIX}build/?category=${encodeURIComponent(textIn(data, 'id'))}` },
    ],
  },
  'build/': { name: () => 'Builds' },
  'build/{id}/': {
    name: (data) => textIn(data, 'version') || 'Build',
    leads: (here, data) => [
      { name: 'Its images', path: `${here}image/` },
      { name: 'Upgrade devices to it', path: `${here}upgrade/` },
      {
        name: 'Its batches',
        path: `${PREFIX}batch-upgrade-operation/?build=${encodeURIComponent(textIn(data, 'id'))}`,
      },
    ],
  },
  'build/{build}/image/': { name: () => 'Images' },
  'build/{build}/image/{id}/': {
    name: (data) => textIn(data, 'type') || 'Image',
    leads: (here) => [{ name: 'Download it', path: `${here}download/` }],
  },
  'build/{build}/upgrade/': { name: () => 'Upgrade devices' },
  'batch-upgrade-operation/': { name: () => 'Batches' },
  'batch-upgrade-operation/{id}/': {
    name: (data) => {
      const build = data['build'];
      return isObject(build) ? `Batch of ${textIn(build, 'version')}` : 'Batch';
    },
  },
  'upgrade-operation/': { name: () => 'Operations' },
  'upgrade-operation/{id}/': {
    name: () => 'Operation',
    leads: (_here, data) => leadsOfDevice(textIn(data, 'device')),
  },
  'device/{device}/firmware/': {
    name: () => 'Firmware of a device',
    leads: (here) => [{ name: 'Its operations', path: here.replace(/firmware\/$/, 'upgrade-operation/') }],
  },
  'device/{device}/upgrade-operation/': {
    name: () => 'Operations of a device',
    leads: (here) => [{ name: 'Its firmware', path: here.replace(/upgrade-operation\/$/, 'firmware/') }],
  },
};

function leadsOfDevice(device: string): readonly Crumb[] {
  if (device === '') return [];
  const path = `${PREFIX}device/${encodeURIComponent(device)}/`;
  return [
    { name: 'Firmware of its device', path: `${path}firmware/` },
    { name: 'All operations of its device', path: `${path}upgrade-operation/` },
  ];
}

/** How pages speak of what is at an endpoint; of one that they do not know, by its own name. */
export function placeOf({ path, name }: { readonly path: string; readonly name: string }): Place {
  return PLACES[path] ?? { name: () => name };
}

/** What stands above a path, from `/` down. */
export function crumbsTo(pathname: string): readonly Crumb[] {
  const crumbs: Crumb[] = [{ name: 'Ferry', path: '/' }];
  const segments = pathname
    .slice(PREFIX.length)
    .split('/')
    .filter((segment) => segment !== '');
  for (let length = 1; length < segments.length; length++) {
    const pattern = `${segments.slice(0, length).map(nameOfSegment).join('/')}/`;
    const place = Object.entries(PLACES).find(([path]) => path.replace(/\{\w+\}/g, '{}') === pattern)?.[1];
    const path = `${PREFIX}${segments.slice(0, length).join('/')}/`;
    if (place !== undefined) crumbs.push({ name: place.name({}), path });
  }
  return crumbs;
}

/** How a segment of a path stands in the patterns of endpoints: ids as `{}`, words as they are. */
function nameOfSegment(segment: string): string {
  return PATH_ID.test(segment) ? '{}' : segment;
}

/** A field that is text; empty where it is not there. */
export function textIn(data: JsonObject, name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value : '';
}
