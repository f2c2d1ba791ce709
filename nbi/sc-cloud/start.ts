import type { Device } from '../../acs/index.js';
import type { BatchId, CpeId, Turn } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import type { Organization } from '../../organizations/index.js';
import { BatchError, type CpeUpgrades, namedCpes } from '../../rollout/index.js';
import { untilCommitted } from '../../store/index.js';
import {
  actorOf,
  closedQuery,
  type Exchange,
  type Route,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { CODES, type Code } from './codes.js';
import { DETAILS_SCHEMA, whyNone } from './devices.js';
import { answerSchema, answers, CloudError, PREFIX } from './dialect.js';
import type { CloudParts } from './parts.js';
import { isFor, isSameProduct, Products, productOfDevice } from './products.js';
import { codeOfReason } from './progress.js';
import { DEVICES_MAX, type StartBody, startBody } from './start-body.js';

const METHOD = 'start-upgrade';
/** Names that are looked up in one turn. */
const PORTION = 100;

/** One of those that were named: the device that it stands for, or what is said of it. */
type Meant = { readonly sn: string } & (
  | { readonly device: Device; readonly code?: never }
  | { readonly device: null; readonly code: Code }
);

/** `POST /sc_cloud/upgrade/start` */
export function startRoute(parts: CloudParts): Route {
  return route({
    method: 'POST',
    path: `${PREFIX}/upgrade/start`,
    role: 'admin',
    concerns: 'organizations',
    operationId: 'scCloudStartUpgrade',
    summary: 'Begins to upgrade devices of one family, model and hardware version',
    description: `At most ${DEVICES_MAX} devices. Where they are not of one kind nothing begins (-7). Whatever else is wrong with a device stands beside it in details, and the others are upgraded all the same; result is 0 as long as there are any.`,
    query: closedQuery(),
    body: startBody,
    answers: answers(
      'What becomes of each device',
      answerSchema({ method: { const: METHOD }, details: DETAILS_SCHEMA }),
      { concerns: 'organizations', changes: true, hasBody: true },
      { result: 0, method: METHOD, details: [{ sn: 'A302190930002', result: 0 }] },
    ),
    async handle(exchange) {
      const said = await exchange.body();
      await parts.reading.change(exchange, async (turn) => {
        exchange.response.json(await started(parts, exchange, said, turn));
      });
    },
  });
}

async function started(parts: CloudParts, exchange: Exchange, { sn, firmware }: StartBody, turn: Turn) {
  const scope = scopeOf(exchange);
  const image = await firmwareWith(parts.images, scope, firmware);
  const whose = whoseUpgrade(scope, image);
  const meant = await meantBy(parts, whose, sn, turn);
  const devices = meant.flatMap(({ device }) => device ?? []);
  if (isMixed(devices))
    return answer(
      CODES.mixedDevices,
      meant.map((each) => ({ sn: each.sn, result: each.code ?? CODES.mixedDevices })),
    );
  const beginning = { devices, image, whose };
  const codes = await untilCommitted('The devices', () => begin(parts, beginning, actorOf(exchange), turn));
  const details = meant.map((each) => ({
    sn: each.sn,
    result: each.device === null ? each.code : (codes.get(each.device.id) ?? CODES.failed),
  }));
  const isAnyDone = details.some(({ result }) => result >= CODES.done);
  return answer(isAnyDone ? CODES.done : (details[0]?.result ?? CODES.done), details);
}

function answer(result: Code, details: readonly { readonly sn: string; readonly result: Code }[]) {
  return { result, method: METHOD, details };
}

/** @throws CloudError where none has the number that whoever asks sees, or it was not added yet */
async function firmwareWith(
  images: Pick<ImageLibrary, 'get' | 'withNumber'>,
  { organization }: Scope,
  number: number,
): Promise<Image> {
  const image = await images.withNumber(number);
  // In an organization a shared image is none where an own one has its name.
  const seen =
    image === null || organization === null ? image : await images.get(image.name, organization.id);
  if (image === null || seen?.id !== image.id || image.unlistedAtMs !== undefined)
    throw new CloudError(CODES.noFirmware, 'firmware-id', 'the id of one that get-all-firmwares lists');
  return image;
}

/** Whose CPEs alone are upgraded: those of whoever asks, or of the organization whose the image is; null: anybody's. */
function whoseUpgrade({ organization, organizations }: Scope, image: Image): Organization | null {
  if (organization !== null || image.organization === undefined) return organization;
  const owner = organizations.get(image.organization);
  if (owner === null)
    throw new CloudError(CODES.noFirmware, 'firmware-id', 'one whose organization is there');
  return owner;
}

async function meantBy(
  { devices }: CloudParts,
  whose: Organization | null,
  names: readonly string[],
  turn: Turn,
): Promise<readonly Meant[]> {
  const meant: Meant[] = [];
  const before = new Set<CpeId>();
  for (let at = 0; at < names.length; at += PORTION) {
    const some = names.slice(at, at + PORTION);
    const found = await turn(() => namedCpes(devices, whose, some));
    for (const [index, named] of found.entries()) {
      const sn = some[index] ?? '';
      const refusal = whyNone(devices, named);
      if (refusal !== null || named.kind !== 'cpe') {
        meant.push({ sn, device: null, code: refusal?.code ?? CODES.noDevice });
        continue;
      }
      // By another name it was named before.
      const isAgain = before.has(named.device.id);
      before.add(named.device.id);
      meant.push(isAgain ? { sn, device: null, code: CODES.repeated } : { sn, device: named.device });
    }
  }
  return meant;
}

function isMixed([first, ...others]: readonly Device[]): boolean {
  if (first === undefined) return false;
  const product = productOfDevice(first);
  return others.some((device) => !isSameProduct(productOfDevice(device), product));
}

interface Beginning {
  readonly devices: readonly Device[];
  readonly image: Image;
  readonly whose: Organization | null;
}

/** Upgrades those for which nothing else is under way. @returns what becomes of each; undefined where another began one of them meanwhile */
async function begin(
  { cpeUpgrades, images, operations }: CloudParts,
  { devices, image, whose }: Beginning,
  by: Parameters<CpeUpgrades['start']>[1],
  turn: Turn,
): Promise<ReadonlyMap<CpeId, Code> | undefined> {
  const codes = new Map<CpeId, Code>();
  const cpeids: CpeId[] = [];
  const products = new Products(images);
  const product = await products.ofImage(image);
  for (const device of devices) {
    const { id } = device;
    const code = isFor(product, device)
      ? await turn(() => standing(cpeUpgrades, id, image))
      : CODES.doesNotFit;
    if (code === null) cpeids.push(id);
    else codes.set(id, code);
  }
  if (cpeids.length === 0) return codes;
  const batch = await startUnlessMoved(cpeUpgrades, { cpeids, image, whose }, by);
  if (batch === null) return undefined;
  for (const id of cpeids) {
    const code = await turn(() => begun(operations, batch, id));
    // Another was first, since it was looked at.
    const isOther = code === CODES.busy;
    codes.set(id, (isOther ? await turn(() => standing(cpeUpgrades, id, image)) : null) ?? code);
  }
  return codes;
}

/** @returns null where an upgrade of one of them was begun in between */
async function startUnlessMoved(
  cpeUpgrades: CpeUpgrades,
  { cpeids, image, whose }: Pick<Beginning, 'image' | 'whose'> & { readonly cpeids: readonly CpeId[] },
  by: Parameters<CpeUpgrades['start']>[1],
): Promise<BatchId | null> {
  try {
    const order = { cpeids, image: image.name, through: 'sc-cloud', unlessUnderWay: true } as const;
    const { id } = await cpeUpgrades.start(
      { ...order, ...(whose !== null && { organization: whose.id }) },
      by,
    );
    return id;
  } catch (error) {
    if (error instanceof BatchError && error.code === 'moved') return null;
    throw error;
  }
}

/** What keeps a CPE from being upgraded now; null: nothing. What somebody's rule would send it some time, be it the same, keeps it from nothing. */
async function standing(upgrades: CpeUpgrades, id: CpeId, image: Image): Promise<Code | null> {
  const { waiting, running } = await upgrades.underWay(id);
  if (waiting === null && running === null) return null;
  const numbers = [running, waiting].map((each) => each?.image?.number);
  return numbers.includes(image.number) ? CODES.repeated : CODES.busy;
}

async function begun(operations: CloudParts['operations'], batch: BatchId, id: CpeId): Promise<Code> {
  const operation = await operations.of(batch, id);
  if (operation === null) return CODES.failed;
  return operation.state === 'skipped' ? codeOfReason(operation.reason ?? '') : CODES.done;
}
