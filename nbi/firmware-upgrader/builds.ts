import { type Build, type ImageLibrary, removeBuildWithImages, SHARED } from '../../firmware/index.js';
import { findCategory } from './categories.js';
import { inUpgraderWords } from './library-errors.js';
import {
  type Asking,
  type Call,
  type Endpoint,
  type Field,
  type Filter,
  type Filtered,
  filtered,
  isShown,
  type ListSource,
  noObject,
  type Ordering,
  ownersOf,
  requireOwn,
  said,
  timeText,
  WRITE_ANSWERS,
  wrongFields,
} from './manners/index.js';
import type { EndpointContext } from './parts.js';

const MODEL = 'Build';
const VERSION_CHARACTERS_MAX = 32;
const OS_CHARACTERS_MAX = 64;

/** A build, wherever the API shows one. */
export const BUILD_FIELDS = [
  { name: 'id', kind: 'id', readOnly: true },
  {
    name: 'category_relation',
    kind: 'nested',
    readOnly: true,
    fields: [
      { name: 'name', kind: 'string', required: true, charactersMax: 64 },
      { name: 'organization', kind: 'reference', mayBeNull: true },
    ],
  },
  { name: 'created', kind: 'time', readOnly: true },
  { name: 'modified', kind: 'time', readOnly: true },
  { name: 'version', kind: 'string', required: true, charactersMax: VERSION_CHARACTERS_MAX },
  { name: 'os', kind: 'string', charactersMax: OS_CHARACTERS_MAX, mayBeNull: true, mayBeBlank: true },
  { name: 'changelog', kind: 'string', mayBeBlank: true },
  { name: 'category', kind: 'reference', required: true },
] as const satisfies readonly Field[];

const FILTERS: readonly Filter[] = [
  { name: 'category', kind: 'reference', description: 'The id of the category.' },
  { name: 'version', kind: 'text', description: 'The version, to the letter.' },
  { name: 'os', kind: 'text', description: 'The identifier of the operating system, to the letter.' },
];

const ORDERING: Ordering = { keys: ['version', 'created', 'modified'], byDefault: '-created,-version' };

/** `build/` and `build/{id}/`. */
export function buildEndpoints(context: EndpointContext): readonly Endpoint[] {
  const { images } = context;
  return [
    {
      path: 'build/',
      name: 'Build List',
      fields: BUILD_FIELDS,
      list: { filters: FILTERS, ordering: ORDERING },
      methods: {
        GET: {
          operationId: 'listUpgraderBuilds',
          summary: 'Lists the builds of firmware',
          answers: { '200': 'A page of them', '400': 'A filter is wrong' },
          handle: (call) => list(context, call),
        },
        POST: {
          operationId: 'addUpgraderBuild',
          summary: 'Adds a build',
          answers: { '201': 'It', ...WRITE_ANSWERS },
          handle: (call) => add(context, call),
        },
      },
    },
    {
      path: 'build/{id}/',
      name: 'Build Detail',
      fields: BUILD_FIELDS,
      methods: {
        GET: {
          operationId: 'getUpgraderBuild',
          summary: 'Tells what is known of a build',
          answers: { '200': 'It' },
          handle: async (call) => call.send(200, await buildView(images, await found(images, call))),
        },
        PUT: {
          operationId: 'replaceUpgraderBuild',
          summary: 'Changes a build; its category and version must be said',
          answers: { '200': 'It', ...WRITE_ANSWERS },
          handle: (call) => change(context, call, false),
        },
        PATCH: {
          operationId: 'changeUpgraderBuild',
          summary: 'Changes what is said of a build',
          answers: { '200': 'It', ...WRITE_ANSWERS },
          handle: (call) => change(context, call, true),
        },
        DELETE: {
          operationId: 'deleteUpgraderBuild',
          summary: 'Deletes a build with its images, and what upgrades made of them',
          answers: { '204': 'Deleted', '507': 'The disk, or the database, is full' },
          handle: (call) => remove(context, call),
        },
      },
      requireChangeable: async (call) => void (await foundOwn(images, call)),
    },
  ];
}

/** A build as the API shows it. */
export async function buildView(images: ImageLibrary, build: Build) {
  const { id, createdAtMs, modifiedAtMs, version, os, changelog, category, organization } = build;
  const { name = '' } = (await findCategory(images, category, null)) ?? {};
  return {
    id,
    category_relation: { name, organization: organization ?? null },
    created: timeText(createdAtMs),
    modified: timeText(modifiedAtMs),
    version,
    os,
    changelog,
    category,
  };
}

async function list({ images }: EndpointContext, call: Call): Promise<void> {
  const { asking, request } = call;
  const isThere = {
    category: async (id: string) => (await findCategory(images, id, asking.within)) !== null,
  };
  const filters = await filtered(FILTERS, request.originalUrl, isThere);
  await call.sendList(sourceOf(images, asking, filters), ORDERING, (build) => buildView(images, build));
}

function sourceOf({ builds }: ImageLibrary, asking: Asking, filters: Filtered): ListSource<Build> {
  const { category, version, os } = filters;
  const isMeant = (build: Build) =>
    (version === undefined || build.version === version) && (os === undefined || build.os === os);
  return {
    idOf: ({ id }) => id,
    sortedBy: ({ version: text, createdAtMs, modifiedAtMs }, key) =>
      key === 'version' ? text : key === 'created' ? createdAtMs : modifiedAtMs,
    async *scan(turn) {
      const owners = ownersOf(asking);
      if (owners === null) return;
      const narrowed = { ...owners, ...(category !== undefined && { category }) };
      for await (const build of builds.scan(narrowed, turn)) if (isMeant(build)) yield build;
    },
    async read(ids) {
      const found: Build[] = [];
      for await (const each of builds.scan({ within: asking.within, ids })) found.push(each);
      return found;
    },
  };
}

/** The build of an id that whoever asks sees, and wants; null for none. */
export async function findBuild(images: ImageLibrary, id: string, asking: Asking): Promise<Build | null> {
  const build = await images.builds.get(id, asking.within);
  return build !== null && isShown(asking, build.organization) ? build : null;
}

/** @throws UpgraderError 404 */
async function found(images: ImageLibrary, { asking, parameters: { id = '' } }: Call): Promise<Build> {
  const build = await findBuild(images, id, asking);
  if (build === null) throw noObject(MODEL);
  return build;
}

/** @throws UpgraderError 404, 403 */
async function foundOwn(images: ImageLibrary, call: Call): Promise<Build> {
  const build = await found(images, call);
  requireOwn(call.asking, build.organization);
  return build;
}

async function saidOf({ images }: EndpointContext, { asking, body }: Call, isPartial: boolean) {
  const category = async (id: string) => {
    const named = await findCategory(images, id, asking.within);
    return named !== null && (asking.isSuperuser || named.organization !== undefined);
  };
  return said(BUILD_FIELDS, await body(), { isPartial, references: { category } });
}

async function add(context: EndpointContext, call: Call): Promise<void> {
  const { images } = context;
  const { asking } = call;
  const fields = await saidOf(context, call, false);
  const category = await findCategory(images, fields.category ?? '', asking.within);
  const build = await inUpgraderWords(
    () => images.builds.add({ ...fields }, asking.by, category?.organization ?? SHARED),
    wording(asking, category?.organization, fields.os),
  );
  call.send(201, await buildView(images, build));
}

async function change(context: EndpointContext, call: Call, isPartial: boolean): Promise<void> {
  const { images } = context;
  const { asking } = call;
  const before = await foundOwn(images, call);
  const fields = await saidOf(context, call, isPartial);
  const category = await findCategory(images, fields.category ?? before.category, asking.within);
  if (category?.organization !== before.organization)
    throw wrongFields({
      category: ['Whose a build is stays: make one in that category, and upload its images there.'],
    });
  const build = await inUpgraderWords(
    () => images.builds.change(before.id, { ...fields }, asking.by, before.organization ?? SHARED),
    wording(asking, before.organization, fields.os),
  );
  call.send(200, await buildView(images, build));
}

function wording(asking: Asking, organization: string | undefined, os: string | null | undefined) {
  const owner = asking.nameOf(organization) ?? 'None';
  const osTaken = `A build with this OS identifier ("${os}") and organization ("${owner}") already exists`;
  return { model: MODEL, osTaken };
}

async function remove({ images, uses }: EndpointContext, call: Call): Promise<void> {
  const { by } = call.asking;
  const build = await foundOwn(images, call);
  await call.change(async (turn) => {
    await uses.forget({ kind: 'build', build }, by, turn);
    await inUpgraderWords(
      () => removeBuildWithImages(images, build, { by, within: build.organization ?? SHARED, turn }),
      { model: MODEL },
    );
  });
  call.send(204);
}
