import type { ExecutionContext } from 'ava';
import { PARAMETERS, type ParameterDocument } from '../../../acs/device/device.js';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../../acs/index.js';
import type { CpeId, ResultId } from '../../../common/index.js';
import type { Image } from '../../../firmware/index.js';
import { OPERATIONS, type Operation, OperationLedger } from '../../../rollout/index.js';
import { uploadOf } from '../../firmware/support.js';
import { type TestNbiOptions, upgradeOf } from '../support.js';
import { startWithTwo } from '../two-organizations.js';

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

export interface Asked {
  /** Of the session; null: none is shown. The operator's of the device's organization unless told. */
  readonly cookie?: string | null;
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData;
  readonly headers?: Readonly<Record<string, string>>;
}

export const NOW_MS = Date.UTC(2026, 0, 1);
export const SERIAL = '000123';
export const BOX = `/devices/00A1B2-HGW-${SERIAL}`;

/** The API at a CPE of north's, which runs 1.0.0 and tells of no slots, with everybody logged in. */
export async function startSlots(t: ExecutionContext, options: TestNbiOptions = {}) {
  let nowMs = NOW_MS;
  const nbi = await startWithTwo(t, { clock: () => nowMs, monotonic: () => nowMs, ...options });
  const { store, images, north } = nbi;
  const tick = (ms = 1_000) => {
    nowMs += ms;
    return nowMs;
  };
  const device = await nbi.putDeviceOf(north, {
    serialNumber: SERIAL,
    serialLabel: SERIAL,
    registeredMs: NOW_MS,
    lastInformMs: NOW_MS,
  });
  const sessionOf = async (name: string, kind: 'firmware-slots' | 'system-update' = 'firmware-slots') => {
    const user = await nbi.users.find(name);
    if (user === null) throw new Error(`There is no user ${name}`);
    const begun = await nbi.sessions
      .of(kind)
      .begin({ user, address: '127.0.0.1', userAgent: '', requestId: '', replaced: [] });
    return `session_id=${begun.cookie}`;
  };
  const operator = await sessionOf('operator@north');
  const ask = async (
    method: string,
    path: string,
    { cookie = operator, json, body, headers = {} }: Asked = {},
  ): Promise<Answered> => {
    const sent = json === undefined ? body : JSON.stringify(json);
    const response = await fetch(`${nbi.url}${path.startsWith('/devices') ? '' : BOX}${path}`, {
      method,
      headers: {
        ...(json !== undefined && { 'Content-Type': 'application/json' }),
        ...(cookie !== null && { Cookie: cookie }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    const isJson = response.headers.get('Content-Type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  };
  const operations = store.collection<Operation>(OPERATIONS);
  const ledger = new OperationLedger({ store, clock: () => nowMs, images });
  const onlyOperation = async () => {
    const found: Operation[] = [];
    for await (const { document } of operations.scan({})) found.push(document);
    const open = found.filter(({ state }) => state === 'pending' || state === 'running');
    const [operation] = open;
    if (operation === undefined || open.length > 1) throw new Error(`${open.length} operations are open`);
    return operation;
  };
  return {
    ...nbi,
    device,
    ask,
    sessionOf,
    tick,
    /** Uploads an image into north's library, past the API. */
    async image(
      name: string,
      softwareVersion: string,
      metadata: object = {},
      content = name,
    ): Promise<Image> {
      const upload = uploadOf(name, Buffer.from(content), {
        metadata: { softwareVersion, ...metadata },
        organization: north.id,
      });
      return (await images.upload(upload)).image;
    },
    async change(said: Partial<Device>): Promise<void> {
      const devices = store.collection<Device>(DEVICES);
      const stored = await devices.get(device.id);
      if (stored !== null) await devices.put({ ...stored.document, ...said });
    },
    async tell(values: ParameterDocument['values'], subtree = 'Device.DeviceInfo'): Promise<void> {
      await store.collection<ParameterDocument>(PARAMETERS).put({ id: `${device.id}/${subtree}`, values });
    },
    onlyOperation,
    /** Has an upgrade run for the only operation that is open, in some state. */
    async run(state: Upgrade['state'], more: Partial<Upgrade> = {}): Promise<Upgrade> {
      const operation = await onlyOperation();
      const { cpeid, batch, ruleId, image } = operation;
      const id = operation.id as string as ResultId;
      const upgrade: Upgrade = {
        ...upgradeOf({
          cpeid,
          campaignid: ruleId as never,
          state,
          status: false,
          owner: { kind: 'batch', id: batch },
          file: image?.name ?? '',
          startedAtMs: tick(),
          updatedAtMs: tick(),
          ...more,
        }),
        id,
      };
      await store.collection<Upgrade>(UPGRADES).put(upgrade);
      const after = {
        ...operation,
        state: 'running' as const,
        resultId: id,
        attempts: 1,
        updatedAtMs: nowMs,
      };
      await store.commit([...ledger.moved(operationAt(await operations.get(operation.id)), after)]);
      await this.change({ inFlight: id });
      return upgrade;
    },
    /** Ends what runs. */
    async end(upgrade: Upgrade, moved: Partial<Operation>, more: Partial<Upgrade>): Promise<void> {
      const updatedAtMs = tick();
      await store.collection<Upgrade>(UPGRADES).put({ ...upgrade, status: true, updatedAtMs, ...more });
      const stored = operationAt(await operations.get(upgrade.id as string as Operation['id']));
      await store.commit([...ledger.moved(stored, { ...stored.document, ...moved, updatedAtMs })]);
      const devices = store.collection<Device>(DEVICES);
      const found = await devices.get(device.id);
      if (found === null) return;
      const { inFlight: _, ...rest } = found.document;
      const rule = await nbi.rules.get(upgrade.campaignid);
      if (rule === null) throw new Error('The rule is not there');
      const verified = more.state === 'verified';
      const count = { started: 1, failures: verified ? 0 : 1, verified, lastEndedMs: nowMs, givenBack: 0 };
      await devices.put({ ...rest, counts: { ...rest.counts, [nbi.rules.countKey(rule.rule)]: count } });
    },
  };
}

function operationAt<T>(stored: T | null): T {
  if (stored === null) throw new Error('The operation is not there');
  return stored;
}

export type TestSlots = Awaited<ReturnType<typeof startSlots>>;

/** A form with a file. */
export function formOf(content: string, fileName: string, field = 'firmware'): FormData {
  const form = new FormData();
  form.set(field, new Blob([content]), fileName);
  return form;
}

/** The keys of the slots in which something stands, each with its version, `*` where it is current and `>` where it is next. */
export async function standing({ ask }: Pick<TestSlots, 'ask'>): Promise<readonly string[]> {
  const { body } = await ask('GET', '/api/firmware/slots');
  const { items } = body as {
    items: readonly {
      key: string;
      body: { version?: string; current?: boolean; after_reboot?: boolean };
    }[];
  };
  return items
    .filter(({ body: slot }) => slot.version !== undefined)
    .map(
      ({ key, body: slot }) =>
        `${key} ${slot.version}${slot.current === true ? ' *' : ''}${slot.after_reboot === true ? ' >' : ''}`,
    );
}

/** What an error says. */
export function errorOf({ status, body }: Answered): readonly unknown[] {
  const { error } = body as { error: { type: string; details: unknown } };
  return [status, error.type, error.details];
}

export type { CpeId };
