/** What becomes of a CPE in a walk: the rows of the table in docs/api/README.md. */
export const MOMENTS = [
  'waiting',
  'sent',
  'transferred',
  'verified',
  'failed',
  'not heard of',
  'given up',
  'withdrawn',
  'refused',
] as const;
export type MomentName = (typeof MOMENTS)[number];

/** What an API tells at each. */
export type Words = Readonly<Record<MomentName, string>>;

/** Where an API has no word for it. */
export const NOTHING = 'nothing';

/** By the columns of that table. */
export const WORDS = {
  '004 result': {
    waiting: NOTHING,
    sent: '202',
    transferred: '202',
    verified: '200',
    failed: '500',
    'not heard of': '408',
    'given up': '499',
    withdrawn: NOTHING,
    refused: NOTHING,
  },
  batch: {
    waiting: 'idle: pending',
    sent: 'in-progress: running',
    transferred: 'in-progress: running',
    verified: 'success: verified',
    failed: 'failed: failed fault-9010',
    'not heard of': 'failed: timed-out not-heard-of',
    'given up': 'cancelled: cancelled withdrawn',
    withdrawn: 'cancelled: cancelled withdrawn',
    refused: 'failed: skipped does-not-fit',
  },
  '002 operation': {
    waiting: 'in-progress 0',
    sent: 'in-progress 20',
    transferred: 'in-progress 65',
    verified: 'success 100',
    failed: 'failed 20',
    'not heard of': 'failed 10',
    'given up': 'cancelled 10',
    withdrawn: 'cancelled 0',
    refused: 'aborted 0',
  },
  '000 update': {
    waiting: 'IDLE',
    sent: 'RUNNING',
    transferred: 'RUNNING',
    verified: 'IDLE, updated',
    failed: 'FAILED_GRACEFUL',
    'not heard of': 'FAILED_CRITICAL',
    'given up': 'IDLE',
    withdrawn: 'IDLE',
    refused: 'FAILED_GRACEFUL',
  },
  '001 slot': {
    waiting: 'after_reboot',
    sent: 'after_reboot',
    transferred: 'after_reboot',
    verified: 'current',
    failed: 'UpgradeFailed',
    'not heard of': 'UpgradeTimedOut',
    'given up': 'there',
    withdrawn: 'there',
    refused: 'FirmwareTestFailed',
  },
  '003 details': {
    waiting: '0',
    sent: '0, file 0 %',
    transferred: '0, file 100 %',
    verified: '0',
    failed: '-12',
    'not heard of': '-13',
    'given up': '0',
    withdrawn: '0',
    refused: '-9',
  },
} as const satisfies Readonly<Record<string, Words>>;
export type ViewName = keyof typeof WORDS;
