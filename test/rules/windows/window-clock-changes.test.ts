import test from 'ava';
import fc from 'fast-check';
import { HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import type { MaintenanceWindow } from '../../../rules/index.js';
import { createWindowClock } from '../../../rules/windows/window.js';

/** When the window opens and closes between two instants, minute by minute. */
function changesOf(window: MaintenanceWindow, from: string, to: string): string[] {
  const clock = createWindowClock();
  const changes: string[] = [];
  let was = clock.isOpen(window, Date.parse(from) - MINUTE_MS);
  for (let atMs = Date.parse(from); atMs < Date.parse(to); atMs += MINUTE_MS) {
    const is = clock.isOpen(window, atMs);
    if (is !== was) changes.push(`${is ? 'opens' : 'closes'} ${new Date(atMs).toISOString().slice(5, 16)}`);
    was = is;
  }
  return changes;
}

function window(cron: string, timezone: string, durationMinutes: number): MaintenanceWindow {
  return { cron, timezone, durationMinutes };
}

for (const [title, cron, timezone, durationMinutes, from, to, expected] of [
  // Berlin: 2026-03-29 02:00 CET becomes 03:00 CEST (01:00 UTC); 2026-10-25 03:00 CEST becomes 02:00 CET (01:00 UTC).
  [
    'a time before the change lasts as long as ever',
    '0 1 * * *',
    'Europe/Berlin',
    120,
    '2026-03-28T23:00Z',
    '2026-03-29T06:00Z',
    ['opens 03-29T00:00', 'closes 03-29T02:00'],
  ],
  [
    'a time that is skipped opens at the change',
    '30 2 * * *',
    'Europe/Berlin',
    45,
    '2026-03-28T23:00Z',
    '2026-03-29T06:00Z',
    ['opens 03-29T01:00', 'closes 03-29T01:45'],
  ],
  [
    'a list of times that are all skipped opens once',
    '0,15,45 2 * * 0',
    'Europe/Berlin',
    10,
    '2026-03-28T23:00Z',
    '2026-03-29T06:00Z',
    ['opens 03-29T01:00', 'closes 03-29T01:10'],
  ],
  [
    'on another day the skipped time is nobody’s',
    '30 2 * * 1',
    'Europe/Berlin',
    45,
    '2026-03-28T23:00Z',
    '2026-03-29T06:00Z',
    [],
  ],
  [
    'the first time after the change',
    '0 3 * * *',
    'Europe/Berlin',
    30,
    '2026-03-28T23:00Z',
    '2026-03-29T06:00Z',
    ['opens 03-29T01:00', 'closes 03-29T01:30'],
  ],
  [
    'a time that comes twice opens once',
    '30 2 * * *',
    'Europe/Berlin',
    20,
    '2026-10-24T22:00Z',
    '2026-10-25T06:00Z',
    ['opens 10-25T00:30', 'closes 10-25T00:50'],
  ],
  [
    'and is not prolonged by the second time',
    '30 2 * * *',
    'Europe/Berlin',
    90,
    '2026-10-24T22:00Z',
    '2026-10-25T06:00Z',
    ['opens 10-25T00:30', 'closes 10-25T02:00'],
  ],
  [
    'a time after the doubled hour',
    '0 3 * * *',
    'Europe/Berlin',
    60,
    '2026-10-24T22:00Z',
    '2026-10-25T06:00Z',
    ['opens 10-25T02:00', 'closes 10-25T03:00'],
  ],
  [
    'every hour is every hour that passes',
    '30 * * * *',
    'Europe/Berlin',
    10,
    '2026-10-25T00:00Z',
    '2026-10-25T02:00Z',
    ['opens 10-25T00:30', 'closes 10-25T00:40', 'opens 10-25T01:30', 'closes 10-25T01:40'],
  ],
  [
    'every hour has none that is skipped',
    '30 * * * *',
    'Europe/Berlin',
    10,
    '2026-03-29T00:00Z',
    '2026-03-29T02:00Z',
    ['opens 03-29T00:30', 'closes 03-29T00:40', 'opens 03-29T01:30', 'closes 03-29T01:40'],
  ],
  [
    'every ten minutes of an hour that comes twice',
    '*/10 2 * * *',
    'Europe/Berlin',
    10,
    '2026-10-24T22:00Z',
    '2026-10-25T06:00Z',
    ['opens 10-25T00:00', 'closes 10-25T02:00'],
  ],
  // New York: 2026-03-08 02:00 EST becomes 03:00 EDT (07:00 UTC); 2026-11-01 02:00 EDT becomes 01:00 EST (06:00 UTC).
  [
    'New York in spring',
    '30 2 * * *',
    'America/New_York',
    60,
    '2026-03-08T03:00Z',
    '2026-03-08T12:00Z',
    ['opens 03-08T07:00', 'closes 03-08T08:00'],
  ],
  [
    'New York in autumn',
    '30 1 * * *',
    'America/New_York',
    60,
    '2026-11-01T03:00Z',
    '2026-11-01T12:00Z',
    ['opens 11-01T05:30', 'closes 11-01T06:30'],
  ],
  // Lord Howe: 2026-10-04 02:00 (+10:30) becomes 02:30 (+11); 2026-04-05 02:00 (+11) becomes 01:30 (+10:30), both at 15 UTC.
  [
    'half an hour is skipped',
    '15 2 * * *',
    'Australia/Lord_Howe',
    20,
    '2026-10-03T12:00Z',
    '2026-10-03T18:00Z',
    ['opens 10-03T15:30', 'closes 10-03T15:50'],
  ],
  [
    'half an hour comes twice',
    '45 1 * * *',
    'Australia/Lord_Howe',
    20,
    '2026-04-04T12:00Z',
    '2026-04-04T18:00Z',
    ['opens 04-04T14:45', 'closes 04-04T15:05'],
  ],
  [
    'before the half hour that comes twice',
    '20 1 * * *',
    'Australia/Lord_Howe',
    20,
    '2026-04-04T12:00Z',
    '2026-04-04T18:00Z',
    ['opens 04-04T14:20', 'closes 04-04T14:40'],
  ],
  [
    'Kolkata has no change, and a half hour in its offset',
    '0 2 * * *',
    'Asia/Kolkata',
    60,
    '2026-03-28T18:00Z',
    '2026-03-29T18:00Z',
    ['opens 03-28T20:30', 'closes 03-28T21:30'],
  ],
  // Apia skipped 2011-12-30 altogether: 23:59 on the 29th (-10) was followed by 00:00 on the 31st (+14), at 10:00 UTC.
  [
    'a day that is skipped opens at the change',
    '0 2 30 12 *',
    'Pacific/Apia',
    60,
    '2011-12-30T08:00Z',
    '2011-12-30T20:00Z',
    ['opens 12-30T10:00', 'closes 12-30T11:00'],
  ],
  [
    'Apia today',
    '0 2 * * *',
    'Pacific/Apia',
    60,
    '2026-03-29T00:00Z',
    '2026-03-30T00:00Z',
    ['opens 03-29T13:00', 'closes 03-29T14:00'],
  ],
] as const) {
  test(`clock changes: ${title}: ${cron} ${timezone}`, (t) => {
    t.deepEqual(changesOf(window(cron, timezone, durationMinutes), from, to), [...expected]);
  });
}

/** What a clock shows: a day, and minutes since its midnight. */
function shown(wall: Intl.DateTimeFormat, atMs: number): { readonly day: string; readonly time: number } {
  const parts = wall.formatToParts(atMs);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return {
    day: `${part('year')}-${part('month')}-${part('day')}`,
    time: Number(part('hour')) * 60 + Number(part('minute')),
  };
}

/** Walks up to `atMs` as a watchman would, who opens once a day, at the first sight of the time or of what is past it. */
function slowlyOpen(time: number, timezone: string, durationMinutes: number, atMs: number): boolean {
  const wall = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  });
  const fromMs = atMs - 40 * HOUR_MS;
  let openedMs = Number.NEGATIVE_INFINITY;
  const openedOn = new Set<string>([shown(wall, fromMs).day]);
  for (let walkedMs = fromMs; walkedMs <= atMs; walkedMs += MINUTE_MS) {
    const now = shown(wall, walkedMs);
    if (now.time >= time && !openedOn.has(now.day)) {
      openedOn.add(now.day);
      openedMs = walkedMs;
    }
  }
  return atMs - openedMs < durationMinutes * MINUTE_MS;
}

test('clock changes: a window at a time of day agrees with a watchman who looks at the wall every minute', (t) => {
  const changes = [
    ['Europe/Berlin', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00Z'],
    ['America/New_York', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
    ['Asia/Kolkata', '2026-04-04T15:00Z'],
    ['Antarctica/Troll', '2026-03-29T01:00Z'],
    ['Antarctica/Troll', '2026-10-25T01:00Z'],
  ] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...changes),
      fc.integer({ min: -300, max: 300 }),
      fc.integer({ min: 0, max: 299 }),
      fc.integer({ min: 1, max: 400 }),
      ([timezone, change], minutes, time, durationMinutes) => {
        const atMs = Date.parse(change) + minutes * MINUTE_MS;
        const cron = `${time % 60} ${Math.floor(time / 60)} * * *`;
        const is = createWindowClock().isOpen(window(cron, timezone, durationMinutes), atMs);
        return is === slowlyOpen(time, timezone, durationMinutes, atMs);
      },
    ),
    { numRuns: 60 },
  );
  t.pass();
});
