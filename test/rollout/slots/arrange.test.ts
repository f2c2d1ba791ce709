import test from 'ava';
import type { Image } from '../../../firmware/index.js';
import { type Arrangement, arrange, emptySlot, type KnownImage } from '../../../rollout/slots/arrange.js';
import { withTable } from '../../../rollout/slots/homes.js';
import { imageTableIn } from '../../../rollout/slots/image-table.js';
import type { Slot } from '../../../rollout/slots/slot.js';
import type { KeptFetch, KeptSlot, SlotRecord } from '../../../rollout/slots/slot-record.js';

function known(number: number, version: string, said: Partial<Image> = {}): readonly [number, KnownImage] {
  const image: Image = {
    id: `image-${number}`,
    name: `image-${number}.bin`,
    sha256: '',
    contentFile: '',
    sizeBytes: 1,
    fileType: '1 Firmware Upgrade Image',
    number,
    uploadedAtMs: 0,
    uploadedBy: 'test',
    ...(version !== '' && { softwareVersion: version }),
    ...said,
  };
  return [number, { image, version, notes: '' }];
}

const put = (number: number, over = '', version = `${number}.0`): KeptSlot => ({
  kind: 'image',
  image: { number, name: `image-${number}.bin` },
  version,
  over,
});

const NOTHING: Arrangement = {
  running: '1.0',
  table: null,
  record: null,
  images: new Map(),
  next: null,
  ended: null,
};

function words(slots: readonly Slot[]): readonly string[] {
  return slots.map(
    ({ content, current, afterReboot, reserved }) =>
      `${content?.version ?? '-'}${current ? '*' : ''}${afterReboot ? '>' : ''}${reserved ? '+' : ''}`,
  );
}

test('without a table what runs is in the first slot, and whatever is put beside it stays when something else runs', (t) => {
  t.deepEqual(words(arrange(NOTHING)), ['1.0*', '-', '-', '-', '-']);
  const slots = { 1: { kind: 'version', version: '1.0' }, 2: put(2) } as const;
  const record = { slots, fetches: [] };
  const images = new Map([known(2, '2.0')]);
  t.deepEqual(words(arrange({ ...NOTHING, record, images })), ['1.0*', '2.0', '-', '-', '-']);
  t.deepEqual(words(arrange({ ...NOTHING, record, images, running: '2.0' })), ['1.0', '2.0*', '-', '-', '-']);
  t.deepEqual(
    words(arrange({ ...NOTHING, record, images, running: '1.5' })),
    ['1.0', '2.0', '1.5*', '-', '-'],
    'it came by other means',
  );
});

test('what runs takes the slot of what nobody can send where none is empty', (t) => {
  const slots = {
    1: { kind: 'version', version: '1.0' },
    2: put(2),
    3: put(3),
    4: put(4),
    5: put(5),
  } as const;
  const images = new Map([known(2, '2.0'), known(3, '3.0'), known(4, '4.0'), known(5, '5.0')]);
  const arranged = arrange({ ...NOTHING, record: { slots, fetches: [] }, images, running: '9.0' });
  t.deepEqual(words(arranged), ['9.0*', '2.0', '3.0', '4.0', '5.0']);
  t.is(emptySlot(arranged), null);
});

test('an image that is gone leaves its slot empty, but for one that runs', (t) => {
  const record = { slots: { 2: put(2) }, fetches: [] };
  t.deepEqual(words(arrange({ ...NOTHING, record })), ['1.0*', '-', '-', '-', '-']);
  t.deepEqual(words(arrange({ ...NOTHING, record, running: '2.0' })), ['-', '2.0*', '-', '-', '-']);
});

test('of two slots of one version the one that was verified last is current', (t) => {
  const record = { slots: { 2: put(2), 3: put(3) }, fetches: [] };
  const images = new Map([known(2, '2.0'), known(3, '2.0')]);
  const ended = (number: number) => ({
    image: { number, name: 'x' },
    isVerified: true,
    failure: null,
  });
  const at = (number: number) =>
    words(arrange({ ...NOTHING, record, images, running: '2.0', ended: ended(number) }));
  t.deepEqual(at(2), ['-', '2.0*', '2.0', '-', '-']);
  t.deepEqual(at(3), ['-', '2.0', '2.0*', '-', '-']);
  const nameless = arrange({
    ...NOTHING,
    record: { slots: { 2: put(2, '', '') }, fetches: [] },
    images: new Map([known(2, '')]),
    running: 'whatever it says',
    ended: ended(2),
  });
  t.deepEqual(words(nameless), ['-', 'image-2.bin*', '-', '-', '-'], 'nobody has said what it reports');
  const told = put(2, '', 'whatever it says');
  const later = arrange({
    ...NOTHING,
    record: { slots: { 2: told, 3: put(3) }, fetches: [] },
    images: new Map([known(2, ''), known(3, '3.0')]),
    running: 'whatever it says',
    ended: { image: { number: 3, name: 'x' }, isVerified: false, failure: null },
  });
  t.deepEqual(words(later), ['-', 'whatever it says*', '3.0', '-', '-'], 'whatever has ended since');
});

test('what was put while a CPE told of no slots stays once it tells of some, as does what is being fetched', (t) => {
  const fetch = (key: string, slot: string, state: KeptFetch['state']): KeptFetch => ({
    key,
    url: 'http://x/y',
    upload: key,
    slot,
    state,
    beganAtMs: 0,
  });
  const kept = (number: number): KeptSlot => ({
    kind: 'image',
    image: { number, name: `image-${number}.bin` },
    version: `${number}.0`,
  });
  const record = {
    slots: { 1: { kind: 'version', version: '1.0' }, 2: kept(2), 3: kept(3), 4: kept(4) },
    fetches: [fetch('1', '2', 'finished'), fetch('2', '5', 'in-progress')],
  } as unknown as SlotRecord;
  const images = new Map([known(2, '2.0'), known(3, '3.0'), known(4, '4.0')]);
  const at = (...versions: readonly string[]) => {
    const table = versions.map((version, index) => ({
      key: String(index + 1),
      version,
      isActive: index === 0,
      isNext: false,
    }));
    const moved = withTable(record, table, images);
    t.is(withTable(moved, table, images), moved, 'it has moved for good');
    const slots = arrange({ ...NOTHING, table, record: moved, images });
    const [finished] = moved.fetches;
    const of = slots.map((slot, index) => `${slot.key}:${words(slots)[index]}`);
    return [...of, `fetched:${finished?.slot}`];
  };
  t.deepEqual(at('1.0', ''), ['1:1.0*', '2:2.0', '3:3.0', '4:4.0', '5:-+', 'fetched:2']);
  t.deepEqual(
    at('1.0', '0.9'),
    ['1:1.0*', '2:0.9', '3:3.0', '4:4.0', '5:-+', '6:2.0', 'fetched:6'],
    'its own slot is taken, and so it has one more',
  );
  t.deepEqual(
    at('1.0', '0.9', '', '', '0.8', '', ''),
    ['1:1.0*', '2:0.9', '3:3.0', '4:4.0', '5:0.8', '6:2.0', '7:-', 'fetched:6'],
    'or the first that is empty',
  );
  t.deepEqual(
    at('1.0', '3.0'),
    ['1:1.0*', '2:3.0', '4:4.0', '5:-+', '6:2.0', 'fetched:6'],
    'the CPE has one of them',
  );
});

test('what the CPE boots next is after reboot where nothing waits', (t) => {
  const info = 'Device.DeviceInfo.';
  const parameters = (boot: string) => ({
    [`${info}ActiveFirmwareImage`]: `${info}FirmwareImage.1`,
    [`${info}BootFirmwareImage`]: `${info}FirmwareImage.${boot}.`,
    [`${info}FirmwareImage.1.Version`]: '1.0',
    [`${info}FirmwareImage.2.Version`]: '2.0',
    [`${info}FirmwareImage.2.Status`]: 'Available',
    [`${info}FirmwareImage.3.Version`]: '3.0',
    [`${info}FirmwareImage.3.Status`]: 'ValidationFailed',
  });
  const at = (boot: string, more: Partial<Arrangement> = {}) =>
    words(arrange({ ...NOTHING, table: imageTableIn(parameters(boot)), ...more }));
  t.deepEqual(at('1'), ['1.0*', '2.0', '-']);
  t.deepEqual(at('2'), ['1.0*', '2.0>', '-']);
  t.deepEqual(at('3'), ['1.0*', '2.0', '-'], 'nothing stands there that could be run');
  t.deepEqual(at('2', { running: '2.0' }), ['1.0', '2.0*', '-'], 'it has booted since');
  const next = { image: null, file: '', targetVersion: '4.0' };
  t.deepEqual(at('2', { next }), ['1.0*', '2.0', '4.0>'], 'what waits goes before it');
});

test('a version that was read from the file counts where it is a word of what is reported', (t) => {
  const record = { slots: { 2: put(2) }, fetches: [] };
  const read = new Map([known(2, '23.05.2', { fromFile: ['softwareVersion'] })]);
  const running = 'OpenWrt 23.05.2 r23630';
  t.deepEqual(words(arrange({ ...NOTHING, record, images: read, running })), [
    '-',
    '23.05.2*',
    '-',
    '-',
    '-',
  ]);
  const typed = new Map([known(2, '23.05.2')]);
  t.deepEqual(words(arrange({ ...NOTHING, record, images: typed, running })), [
    `${running}*`,
    '23.05.2',
    '-',
    '-',
    '-',
  ]);
});

test('what waits is in its slot, else in an empty one that is not reserved, else nowhere', (t) => {
  const images = new Map([known(2, '2.0'), known(7, '7.0')]);
  const next = (number: number) => ({ image: { number, name: 'x' }, file: 'x', targetVersion: null });
  const record = { slots: { 2: put(2) }, fetches: [] };
  t.deepEqual(words(arrange({ ...NOTHING, record, images, next: next(2) })), ['1.0*', '2.0>', '-', '-', '-']);
  t.deepEqual(words(arrange({ ...NOTHING, record, images, next: next(7) })), [
    '1.0*',
    '2.0',
    '7.0>',
    '-',
    '-',
  ]);
  const fetch = {
    key: '1',
    url: 'http://x',
    upload: 'u',
    slot: '3',
    state: 'queued',
    beganAtMs: 0,
  } as const;
  const reserved = { slots: { 2: put(2) }, fetches: [fetch] };
  t.deepEqual(words(arrange({ ...NOTHING, record: reserved, images, next: next(7) })), [
    '1.0*',
    '2.0',
    '-+',
    '7.0>',
    '-',
  ]);
  const elsewhere = { image: null, file: 'https://x/y.bin', targetVersion: '8.0' };
  t.deepEqual(words(arrange({ ...NOTHING, next: elsewhere })), ['1.0*', '8.0>', '-', '-', '-']);
  const table = [
    { key: '1', version: '1.0', isActive: true, isNext: false },
    { key: '2', version: '0.9', isActive: false, isNext: false },
  ];
  t.deepEqual(words(arrange({ ...NOTHING, table, images, next: next(7) })), ['1.0*', '0.9']);
});

test('what was put over what a CPE tells holds until it tells something else', (t) => {
  const told = (version: string) => [
    { key: '1', version: '1.0', isActive: true, isNext: false },
    { key: '2', version, isActive: false, isNext: false },
  ];
  const images = new Map([known(2, '2.0')]);
  const at = (kept: KeptSlot, version: string) =>
    words(
      arrange({ ...NOTHING, table: told(version), images, record: { slots: { 2: kept }, fetches: [] } }),
    )[1];
  t.is(at(put(2, '0.9'), '0.9'), '2.0');
  t.is(at(put(2, '0.9'), '2.0'), '2.0', 'the CPE has taken it');
  t.is(at(put(2, '0.9'), '3.0'), '3.0', 'the CPE has something else');
  t.is(at({ kind: 'emptied', over: '0.9' }, '0.9'), '-');
  t.is(at({ kind: 'emptied', over: '0.9' }, '3.0'), '3.0');
});

test('a table is read by instance number, at most 32 of it, and tells which is active in either way', (t) => {
  const info = 'InternetGatewayDevice.DeviceInfo.';
  t.is(imageTableIn({ [`${info}SoftwareVersion`]: '1' }), null);
  t.deepEqual(
    imageTableIn({
      [`${info}FirmwareImage.10.Version`]: 'b',
      [`${info}FirmwareImage.10.Status`]: 'Active',
      [`${info}FirmwareImage.2.Version`]: 'a',
      [`${info}FirmwareImage.3.Version`]: 'c',
      [`${info}FirmwareImage.3.Status`]: 'NoImage',
      [`${info}FirmwareImage.3.Other`]: 'x',
    }),
    [
      { key: '2', version: 'a', isActive: false, isNext: false },
      { key: '3', version: '', isActive: false, isNext: false },
      { key: '10', version: 'b', isActive: true, isNext: false },
    ],
  );
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`Device.DeviceInfo.FirmwareImage.${index + 1}.Version`, 'x']),
  );
  t.is(imageTableIn(many)?.length, 32);
});
