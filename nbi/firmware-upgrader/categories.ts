import { type Category, type ImageLibrary, removeBuildWithImages, SHARED } from '../../firmware/index.js';
import { inUpgraderWords } from './library-errors.js';
import {
  type Asking,
  type Call,
  type Endpoint,
  type Field,
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

const MODEL = 'Category';
const NAME_CHARACTERS_MAX = 64;
const SUPERUSERS_ONLY = 'Only superusers can create or edit shared categories';

const BEFORE = [
  { name: 'id', kind: 'id', readOnly: true },
  { name: 'created', kind: 'time', readOnly: true },
  { name: 'modified', kind: 'time', readOnly: true },
  { name: 'name', kind: 'string', required: true, charactersMax: NAME_CHARACTERS_MAX },
  { name: 'description', kind: 'string', mayBeBlank: true },
] as const satisfies readonly Field[];

/** To those of the installation null is what is shared. */
const FIELDS = [
  ...BEFORE,
  { name: 'organization', kind: 'reference', mayBeNull: true },
] as const satisfies readonly Field[];
/** To all others null is nothing. */
const FIELDS_OF_ORGANIZATIONS = [
  ...BEFORE,
  { name: 'organization', kind: 'reference' },
] as const satisfies readonly Field[];

const ORDERING: Ordering = { keys: ['name', 'created', 'modified'], byDefault: '-name,-created' };

/** `category/` and `category/{id}/`. */
export function categoryEndpoints(context: EndpointContext): readonly Endpoint[] {
  const { images } = context;
  return [
    {
      path: 'category/',
      name: 'Category List',
      fields: FIELDS,
      list: { filters: [], ordering: ORDERING },
      methods: {
        GET: {
          operationId: 'listUpgraderCategories',
          summary: 'Lists the categories of builds',
          answers: { '200': 'A page of them' },
          handle: (call) => call.sendList(sourceOf(images, call.asking), ORDERING, categoryView),
        },
        POST: {
          operationId: 'addUpgraderCategory',
          summary: 'Adds a category',
          answers: { '201': 'It', ...WRITE_ANSWERS },
          handle: (call) => add(context, call),
        },
      },
    },
    {
      path: 'category/{id}/',
      name: 'Category Detail',
      fields: FIELDS,
      methods: {
        GET: {
          operationId: 'getUpgraderCategory',
          summary: 'Tells what is known of a category',
          answers: { '200': 'It' },
          handle: async (call) => call.send(200, categoryView(await found(images, call))),
        },
        PUT: {
          operationId: 'replaceUpgraderCategory',
          summary: 'Changes a category; its name must be said',
          answers: { '200': 'It', ...WRITE_ANSWERS },
          handle: (call) => change(context, call, false),
        },
        PATCH: {
          operationId: 'changeUpgraderCategory',
          summary: 'Changes what is said of a category',
          answers: { '200': 'It', ...WRITE_ANSWERS },
          handle: (call) => change(context, call, true),
        },
        DELETE: {
          operationId: 'deleteUpgraderCategory',
          summary: 'Deletes a category with its builds, their images, and what upgrades made of them',
          answers: { '204': 'Deleted', '507': 'The disk, or the database, is full' },
          handle: (call) => remove(context, call),
        },
      },
      requireChangeable: async (call) => void (await foundOwn(images, call)),
    },
  ];
}

/** As the API shows it. */
function categoryView({ id, createdAtMs, modifiedAtMs, name, description, organization }: Category) {
  return {
    id,
    created: timeText(createdAtMs),
    modified: timeText(modifiedAtMs),
    name,
    description,
    organization: organization ?? null,
  };
}

function sourceOf({ builds: { categories } }: ImageLibrary, asking: Asking): ListSource<Category> {
  return {
    idOf: ({ id }) => id,
    sortedBy: (category, key) => sortValueOf(category, key),
    async *scan(turn) {
      const owners = ownersOf(asking);
      if (owners !== null) yield* categories.scan(owners, turn);
    },
    async read(ids) {
      const found: Category[] = [];
      for await (const each of categories.scan({ within: asking.within, ids })) found.push(each);
      return found;
    },
  };
}

function sortValueOf({ name, createdAtMs, modifiedAtMs }: Category, key: string): string | number {
  return key === 'name' ? name : key === 'created' ? createdAtMs : modifiedAtMs;
}

/** The category of an id that whoever asks sees; null for none. */
export async function findCategory(
  { builds: { categories } }: ImageLibrary,
  id: string,
  within: string | null,
): Promise<Category | null> {
  const category = await categories.find(id, within);
  // It may be one that is called so.
  return category?.id === id ? category : null;
}

/** @throws UpgraderError 404 */
async function found(images: ImageLibrary, { asking, parameters: { id = '' } }: Call): Promise<Category> {
  const category = await findCategory(images, id, asking.within);
  if (category === null || !isShown(asking, category.organization)) throw noObject(MODEL);
  return category;
}

/** @throws UpgraderError 404, 403 */
async function foundOwn(images: ImageLibrary, call: Call): Promise<Category> {
  const category = await found(images, call);
  requireOwn(call.asking, category.organization);
  return category;
}

async function add({ images }: EndpointContext, call: Call): Promise<void> {
  const { asking } = call;
  const { organization, ...fields } = await saidOf(call, false);
  if (organization === undefined && !asking.isSuperuser)
    throw wrongFields({ organization: [SUPERUSERS_ONLY] });
  const category = await inUpgraderWords(
    () =>
      images.builds.categories.add({ ...fields }, asking.by, organization ?? null, sharingName(organization)),
    { model: MODEL },
  );
  call.send(201, categoryView(category));
}

async function change({ images }: EndpointContext, call: Call, isPartial: boolean): Promise<void> {
  const { asking } = call;
  const before = await foundOwn(images, call);
  const { organization, ...fields } = await saidOf(call, isPartial);
  if (organization === undefined && !isPartial && !asking.isSuperuser)
    throw wrongFields({ organization: [SUPERUSERS_ONLY] });
  if (organization !== undefined && organization !== (before.organization ?? null))
    throw wrongFields({
      organization: [
        'Whose a category is stays: make one for the other organization, and upload its images there.',
      ],
    });
  const category = await inUpgraderWords(
    () =>
      images.builds.categories.change(
        before.id,
        { ...fields },
        asking.by,
        before.organization ?? SHARED,
        sharingName(before.organization),
      ),
    { model: MODEL },
  );
  call.send(200, categoryView(category));
}

/** As in the reference names are an organization's own, and shared categories may have one together. */
function sharingName(organization: string | null | undefined) {
  return { mayShareName: (organization ?? null) === null };
}

async function saidOf({ asking, body }: Call, isPartial: boolean) {
  const references = { organization: async (id: string) => asking.organizationOf(id) !== null };
  const checks = { isPartial, references };
  const data = await body();
  return asking.isSuperuser ? said(FIELDS, data, checks) : said(FIELDS_OF_ORGANIZATIONS, data, checks);
}

async function remove({ images, uses }: EndpointContext, call: Call): Promise<void> {
  const { by } = call.asking;
  const category = await foundOwn(images, call);
  const within = category.organization ?? SHARED;
  await call.change(async (turn) => {
    for await (const build of images.builds.scan({ within, isOwnOnly: true, category: category.id }, turn)) {
      await uses.forget({ kind: 'build', build }, by, turn);
      await removeBuildWithImages(images, build, { by, within, turn });
    }
    await inUpgraderWords(() => images.builds.categories.remove(category.id, by, within), { model: MODEL });
  });
  call.send(204);
}
