import test from 'ava';
import { ImageTypes } from '../../../firmware/index.js';

const OF_13 = new ImageTypes('1.3');
const OF_12 = new ImageTypes('1.2');

test('version 1.3 has 92 types of images, 1.2 has 14 less, each once and with its boards', (t) => {
  t.is(OF_13.all.length, 92);
  t.is(OF_12.all.length, 78);
  for (const { all } of [OF_12, OF_13]) {
    t.is(new Set(all.map(({ type }) => type)).size, all.length);
    for (const { type, label, boards } of all) {
      t.regex(type, /^[\w.-]+$/);
      t.true(label.length > 0 && boards.length > 0, type);
      for (const board of boards) t.is(board, board.trim());
    }
  }
  t.deepEqual(OF_13.get('ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin'), {
    type: 'ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin',
    label: 'TP-Link WDR4300 v1 (OpenWrt 19.07 and later)',
    boards: ['TP-Link TL-WDR4300 v1'],
    isBare: false,
    isSince13: false,
  });
  t.is(OF_12.get('realtek-rtl838x-engenius_ews2910p-squashfs-sysupgrade.bin'), null);
});

test('of the types that list a board the last is the one of the board', (t) => {
  for (const types of [OF_12, OF_13]) {
    const boards = new Set(types.all.flatMap((each) => each.boards));
    for (const board of boards) {
      const last = types.all.filter((each) => each.boards.includes(board)).at(-1);
      t.is(types.ofBoard(board), last ?? null);
    }
  }
  const board = 'Ubiquiti UniFi-AC-MESH';
  t.is(OF_13.ofBoard(board)?.type, 'ath79-generic-ubnt_unifiac-mesh-squashfs-sysupgrade.bin');
  t.true(OF_13.get('ar71xx-generic-ubnt-unifiac-mesh-squashfs-sysupgrade.bin')?.boards.includes(board));
  t.is(OF_13.ofBoard(board.toLowerCase()), null);
});

test('a board that the reference misses, as its entry is written, is found as any other', (t) => {
  const bare = OF_13.all.filter(({ isBare }) => isBare);
  t.is(bare.length, 5);
  for (const { type, boards } of bare)
    t.deepEqual(
      boards.map((board) => OF_13.ofBoard(board)?.type),
      [type],
    );
});

test('a file says its type behind the first dash of its name', (t) => {
  const type = 'ath79-generic-tplink_archer-c7-v2-squashfs-sysupgrade.bin';
  t.is(OF_13.inFileName(`openwrt-${type}`)?.type, type);
  t.is(OF_13.inFileName(type), null);
  t.is(OF_13.inFileName('x.txt'), null);
});

test('version 1.2 calls two types otherwise', (t) => {
  const others = OF_12.all.filter(({ type, label }) => OF_13.get(type)?.label !== label);
  t.deepEqual(
    others.map(({ label }) => label),
    ['Ubiquiti UniFi (OpenWRT 19.07 and later)', 'Ubiquiti UniFi AC LR (OpenWrt 19.07 and later)'],
  );
});
