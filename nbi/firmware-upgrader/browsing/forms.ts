import type { JsonObject } from '../../http/index.js';
import type { CallForm, FormField } from '../../pages/index.js';
import { type Endpoint, type Field, labelOf, PREFIX } from '../manners/index.js';
import { textIn } from './places.js';

/** What a page is about, as far as forms are made of it. */
export interface Shown {
  readonly endpoint: Endpoint;
  /** Of the page. */
  readonly url: URL;
  /** The answer of GET; empty where there is none. */
  readonly data: JsonObject;
  /** Whether there is what the path names. */
  readonly isThere: boolean;
}

/** Where what is made or deleted leads, but for lists and what is in them. */
const LEADS: Readonly<
  Record<string, { readonly title: string; readonly submit: string; readonly leadsTo: string }>
> = {
  'build/{build}/upgrade/': {
    title: 'Upgrade these devices',
    submit: 'Start the upgrade',
    leadsTo: `${PREFIX}batch-upgrade-operation/{batch}/`,
  },
};
const FIRMWARE = 'device/{device}/firmware/';
/** There are none in Ferry, and whatever is said there is refused. */
const UNKNOWN_FIELDS: ReadonlySet<string> = new Set(['group', 'location']);
const LONG_FIELDS: ReadonlySet<string> = new Set(['changelog', 'description']);

/** The forms by which what a page shows is added to, changed and deleted. */
export function formsOf(shown: Shown): readonly CallForm[] {
  return [adding(shown), changing(shown), deleting(shown), cancelling(shown)].filter((form) => form !== null);
}

function adding({ endpoint, url, isThere }: Shown): CallForm | null {
  const { path, fields, methods } = endpoint;
  if (methods.POST === undefined || !isThere) return null;
  const here = url.pathname;
  // What is added to a list of some is most likely to be one of these.
  const narrowed = Object.fromEntries(
    fields
      .filter(({ kind }) => kind === 'reference' || kind === 'choice')
      .map(({ name }) => [name, url.searchParams.getAll(name).at(-1)]),
  );
  const { title, submit, leadsTo } = LEADS[path] ?? {
    title: 'Add one',
    submit: 'Add',
    leadsTo: `${here}{id}/`,
  };
  return {
    id: 'add',
    title,
    method: 'POST',
    path: here,
    fields: fieldsOf(fields, narrowed),
    submit,
    leadsTo,
  };
}

function changing({ endpoint, url: { pathname: here }, data, isThere }: Shown): CallForm | null {
  const { path, fields, methods } = endpoint;
  const isAssigning = path === FIRMWARE && !isThere;
  if (!isThere && !isAssigning) return null;
  const method = isAssigning || methods.PATCH === undefined ? 'PUT' : 'PATCH';
  if (methods[method] === undefined) return null;
  const title = isAssigning ? 'Assign an image' : 'Change it';
  const submit = isAssigning ? 'Assign' : 'Change';
  return { id: 'change', title, method, path: here, fields: fieldsOf(fields, data), submit, leadsTo: here };
}

function deleting({ endpoint, url: { pathname: here }, isThere }: Shown): CallForm | null {
  if (endpoint.methods.DELETE === undefined || !isThere) return null;
  // What a thing stood in is there still; of a device that is its operations.
  const leadsTo =
    endpoint.path === FIRMWARE
      ? here.replace(/firmware\/$/, 'upgrade-operation/')
      : here.replace(/[^/]+\/$/, '');
  return {
    id: 'delete',
    title: 'Delete it',
    method: 'DELETE',
    path: here,
    fields: [],
    submit: 'Delete',
    confirm: 'Delete this, and all that belongs to it?',
    leadsTo,
  };
}

/** An operation that runs may be stopped as long as nothing is flashed; version 1.2 has no progress, and no such call. */
function cancelling({ endpoint, url: { pathname: here }, data }: Shown): CallForm | null {
  const isRunning = textIn(data, 'status') === 'in-progress';
  if (endpoint.path !== 'upgrade-operation/{id}/' || !isRunning || data['progress'] === undefined)
    return null;
  return {
    id: 'cancel',
    title: 'Cancel it',
    method: 'POST',
    path: `${here}cancel/`,
    fields: [],
    submit: 'Cancel the upgrade',
    confirm: 'Cancel this upgrade?',
    leadsTo: here,
  };
}

function fieldsOf(fields: readonly Field[], data: JsonObject): readonly FormField[] {
  return fields.flatMap((field) =>
    field.readOnly === true || UNKNOWN_FIELDS.has(field.name) ? [] : (fieldOf(field, data) ?? []),
  );
}

/** Null for what nobody types. */
function fieldOf(field: Field, data: JsonObject): FormField | null {
  const { name, required = false, help, mayBeNull = false, mayBeBlank = false } = field;
  const facts = { name, label: labelOf(field), isRequired: required, ...(help !== undefined && { help }) };
  const value = textIn(data, name);
  const empty = mayBeNull ? 'null' : mayBeBlank ? 'text' : 'nothing';
  switch (field.kind) {
    case 'string': {
      const most = field.charactersMax === undefined ? {} : { charactersMax: field.charactersMax };
      return { ...facts, kind: 'text', value, empty, isLong: LONG_FIELDS.has(name), ...most };
    }
    case 'reference':
      return { ...facts, help: help ?? 'A UUID.', kind: 'text', value, empty };
    case 'boolean':
      return { ...facts, kind: 'check', isChecked: data[name] === true };
    case 'choice':
      return { ...facts, kind: 'choice', value, choices: field.choices, empty };
    case 'file':
      return { ...facts, kind: 'file' };
    case 'id':
    case 'time':
    case 'integer':
    case 'object':
    case 'nested':
    case 'list':
      return null;
    default:
      return field satisfies never;
  }
}
