import test from 'ava';
import { firstAttempt } from '../../../acs/session/provisioning-plan.js';
import type { Answer, Input, QueueQuestion, Session, SessionFacts } from '../../../acs/session/session.js';
import { ACS_METHODS, step } from '../../../acs/session/step.js';
import type { CpeMessage, Download, EnvelopeStyle, Inform } from '../../../acs/soap/index.js';
import type { CommandKey, CpeId, ResultId } from '../../../common/index.js';

const style: EnvelopeStyle = { namespace: 'urn:dslforum-org:cwmp-1-0' };
const facts: SessionFacts = {
  cpeid: 'A-1' as CpeId,
  style,
  events: ['2 PERIODIC'],
  boot: false,
  softwareVersion: '1.0',
  requested: false,
  applying: false,
  transferKey: null,
  doubt: null,
  hand: { device: null },
};
const informMessage: Inform = {
  type: 'Inform',
  deviceId: { manufacturer: 'M', oui: 'A', productClass: '', serialNumber: '1' },
  events: [{ eventCode: '2 PERIODIC', commandKey: '' }],
  maxEnvelopes: 1,
  currentTime: '2026-01-01T00:00:00Z',
  retryCount: 0,
  parameters: [],
};
const upgradeId = 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId;
const download: Download = {
  type: 'Download',
  commandKey: 'k',
  fileType: '1 Firmware Upgrade Image',
  url: 'http://files/x',
  username: '',
  password: '',
  fileSizeBytes: 1,
  targetFileName: '',
  delaySeconds: 0,
};
const message = (cpeMessage: CpeMessage): Input => ({ kind: 'message', message: cpeMessage, style });
const answer = (value: Answer): Input => ({ kind: 'answer', answer: value });
const empty: Input = { kind: 'empty' };
const informed = (changes: Partial<Extract<Answer, { to: 'record-inform' }>> = {}) =>
  answer({ to: 'record-inform', facts, settle: false, provision: false, ...changes });
const attempt = firstAttempt(['Device.X']);
const parameters = [{ name: 'Device.X', value: '1', xsdType: 'boolean' }] as const;
const provisionNow = answer({ to: 'provision', next: { attempt, parameters } });
const nothing = answer({ to: 'decide', decision: { kind: 'nothing' } });
const downloadNow = answer({ to: 'decide', decision: { kind: 'download', download, upgradeId, repeats: 0 } });
const transferComplete = message({
  type: 'TransferComplete',
  commandKey: 'k',
  fault: null,
  startTime: '',
  completeTime: '',
});

/** What each input leads to: `?query`, the type of a message, `204`, or `!` where the protocol is broken. */
function play(inputs: readonly Input[]): string[] {
  let session: Session = { phase: 'start' };
  return inputs.map((input) => {
    const taken = step(session, input);
    session = taken.session;
    if ('ask' in taken) return `?${taken.ask.kind}`;
    switch (taken.reply.kind) {
      case 'message':
        return taken.reply.message.type;
      case 'empty':
        return '204';
      case 'violation':
        return '!';
      default:
        return taken.reply satisfies never;
    }
  });
}

test('a periodic session: Inform, empty POST, nothing to do', (t) => {
  t.deepEqual(play([message(informMessage), informed(), empty, nothing, empty]), [
    '?record-inform',
    'InformResponse',
    '?decide',
    '204',
    '204',
  ]);
});

test('nothing is asked of a CPE before its empty POST, and its own requests come first', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      informed({ settle: true }),
      transferComplete,
      answer({ to: 'record-transfer-complete' }),
      empty,
      answer({ to: 'settle', read: [] }),
      nothing,
    ]),
    [
      '?record-inform',
      'InformResponse',
      '?record-transfer-complete',
      'TransferCompleteResponse',
      '?settle',
      '?decide',
      '204',
    ],
  );
});

test('first contact: provisioning, then the decision, then one Download and no second', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      informed({ provision: true }),
      empty,
      provisionNow,
      message({ type: 'SetParameterValuesResponse' }),
      answer({ to: 'record-provisioning', next: null }),
      downloadNow,
      message({ type: 'DownloadResponse', status: 1, startTime: '', completeTime: '' }),
      answer({ to: 'record-download' }),
    ]),
    [
      '?record-inform',
      'InformResponse',
      '?provision',
      'SetParameterValues',
      '?record-provisioning',
      '?decide',
      'Download',
      '?record-download',
      '204',
    ],
  );
});

test('a request of the CPE is answered while ours is outstanding, and after an empty answer', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      informed(),
      empty,
      downloadNow,
      message({ type: 'GetRPCMethods' }),
      message({ type: 'DownloadResponse', status: 0, startTime: '', completeTime: '' }),
      answer({ to: 'record-download' }),
      transferComplete,
      answer({ to: 'record-transfer-complete' }),
      empty,
    ]),
    [
      '?record-inform',
      'InformResponse',
      '?decide',
      'Download',
      'GetRPCMethodsResponse',
      '?record-download',
      '204',
      '?record-transfer-complete',
      'TransferCompleteResponse',
      '204',
    ],
  );
});

test('parameters that rules want are read, halves of them after a fault, and then it is decided again', (t) => {
  const read = answer({
    to: 'decide',
    decision: { kind: 'read', names: ['Device.A', 'Device.B', 'Device.C'] },
  });
  const invalidName = message({
    type: 'Fault',
    fault: { faultCode: 9005, faultString: 'Invalid Parameter Name' },
    parameterFaults: [],
  });
  const recorded = answer({ to: 'record-parameters' });
  const values = message({ type: 'GetParameterValuesResponse', parameters: [] });
  t.deepEqual(
    play([
      message(informMessage),
      informed(),
      empty,
      read,
      invalidName,
      values,
      recorded,
      invalidName,
      recorded,
      nothing,
    ]),
    [
      '?record-inform',
      'InformResponse',
      '?decide',
      'GetParameterValues',
      'GetParameterValues',
      '?record-parameters',
      'GetParameterValues',
      '?record-parameters',
      '?decide',
      '204',
    ],
  );
});

test('rules that always want more parameters are asked a bounded number of times', (t) => {
  const read = answer({ to: 'decide', decision: { kind: 'read', names: ['Device.A'] } });
  const values = message({ type: 'GetParameterValuesResponse', parameters: [] });
  const recorded = answer({ to: 'record-parameters' });
  const round = [read, values, recorded];
  const seen = play([message(informMessage), informed(), empty, ...round, ...round, ...round]);
  t.is(seen.filter((entry) => entry === '?decide').length, 3);
  t.is(seen.at(-1), '204');
});

test('an RPC that this ACS does not know gets fault 8000 and the session goes on', (t) => {
  t.deepEqual(
    play([message(informMessage), informed(), message({ type: 'unknown', name: 'Kicked' }), empty]),
    ['?record-inform', 'InformResponse', 'Fault', '?decide'],
  );
});

test('a transfer that nobody here asked for is recorded before it is answered', (t) => {
  const autonomous = message({
    type: 'AutonomousTransferComplete',
    transferUrl: '',
    isDownload: true,
    fileType: '',
    targetFileName: '',
    fault: null,
  });
  const recorded = answer({ to: 'record-autonomous-transfer' });
  t.deepEqual(play([message(informMessage), informed(), autonomous, recorded, empty]), [
    '?record-inform',
    'InformResponse',
    '?record-autonomous-transfer',
    'AutonomousTransferCompleteResponse',
    '?decide',
  ]);
  t.true(ACS_METHODS.includes('AutonomousTransferComplete'), 'and GetRPCMethods names it');
});

test('a RequestDownload is answered and leads to a decision, also where one was made already', (t) => {
  const requested = message({ type: 'RequestDownload' });
  t.deepEqual(play([message(informMessage), informed(), requested, empty, downloadNow]).slice(2), [
    'RequestDownloadResponse',
    '?decide',
    'Download',
  ]);
  t.deepEqual(
    play([message(informMessage), informed(), empty, nothing, requested, empty, nothing, empty]).slice(3),
    ['204', 'RequestDownloadResponse', '?decide', '204', '204'],
  );
});

test('messages in the wrong order break the protocol', (t) => {
  t.deepEqual(play([empty]), ['!']);
  t.deepEqual(play([transferComplete]), ['!']);
  t.deepEqual(play([message({ type: 'RebootResponse' })]), ['!']);
  const answersNothing = message({ type: 'DownloadResponse', status: 1, startTime: '', completeTime: '' });
  t.is(play([message(informMessage), informed(), answersNothing]).at(-1), '!');
  t.deepEqual(play([unreadable]), ['!']);
  t.is(play([message(informMessage), informed(), unreadable]).at(-1), '!');
});

const unreadable: Input = { kind: 'unreadable', reason: 'DownloadResponse.Status must be 0 or 1' };
const noted = answer({ to: 'record-unreadable' });
const NOT_READ: readonly (readonly [what: string, input: Input])[] = [
  ['one that cannot be read', unreadable],
  ['one to another request', message({ type: 'RebootResponse' })],
  ['one of a name that nobody knows', message({ type: 'unknown', name: 'DownloadResponse' })],
  ['a fault in a namespace that is not its own', message({ type: 'unknown', name: 'Fault' })],
];
for (const [what, input] of NOT_READ) {
  test(`no response is answered with a fault, and none ends the session: ${what}`, (t) => {
    const reading = answer({ to: 'decide', decision: { kind: 'read', names: ['Device.A', 'Device.B'] } });
    const recorded = answer({ to: 'record-parameters' });
    t.deepEqual(play([message(informMessage), informed(), empty, downloadNow, input, noted]).slice(4), [
      '?record-unreadable',
      '204',
    ]);
    const halves = [input, noted, input, noted, recorded, input, noted, recorded];
    t.deepEqual(play([message(informMessage), informed(), empty, reading, ...halves, nothing]).slice(3), [
      'GetParameterValues',
      '?record-unreadable',
      'GetParameterValues',
      '?record-unreadable',
      '?record-parameters',
      'GetParameterValues',
      '?record-unreadable',
      '?record-parameters',
      '?decide',
      '204',
    ]);
    const given = answer({ to: 'record-provisioning', next: null });
    const first = [message(informMessage), informed({ provision: true }), empty, provisionNow];
    t.deepEqual(play([...first, input, noted, given, downloadNow]).slice(4), [
      '?record-unreadable',
      '?record-provisioning',
      '?decide',
      'Download',
    ]);
    const asked = [message(informMessage), inDoubt, empty, question('GetAllQueuedTransfers')];
    t.deepEqual(play([...asked, input, noted, input, noted, toQueue('go-on')]).slice(4), [
      '?record-unreadable',
      'GetQueuedTransfers',
      '?record-unreadable',
      '?record-queue',
      '?decide',
    ]);
  });
}

test('a Download whose answer cannot be read is neither taken nor refused: nothing is recorded, and it is asked about', (t) => {
  const queries = play([message(informMessage), informed(), empty, downloadNow, unreadable, noted, empty]);
  t.false(queries.includes('?record-download'));
});

test('what is refused is set again as the plan says, in the same session', (t) => {
  const invalid = message({
    type: 'Fault',
    fault: { faultCode: 9003, faultString: 'Invalid arguments' },
    parameterFaults: [],
  });
  const again = answer({ to: 'record-provisioning', next: { attempt, parameters } });
  const first = [message(informMessage), informed({ provision: true }), empty, provisionNow];
  t.deepEqual(play([...first, invalid, again, invalid]).slice(3), [
    'SetParameterValues',
    '?record-provisioning',
    'SetParameterValues',
    '?record-provisioning',
  ]);
});

/** What is to be remembered of one parameter, by what its CPE answers. */
function verdictOn(name: string, response: CpeMessage) {
  let session: Session = { phase: 'start' };
  const reading = answer({ to: 'decide', decision: { kind: 'read', names: [name] } });
  for (const input of [message(informMessage), informed(), empty, reading]) {
    session = step(session, input).session;
  }
  const taken = step(session, message(response));
  if (!('ask' in taken) || taken.ask.kind !== 'record-parameters') return 'nothing is recorded';
  return taken.ask.settled.includes(name) ? 'settled' : 'asked again';
}

test('only 9005, or a fault that names it, says that there is no such parameter', (t) => {
  const fault = (faultCode: number, named: number | null = null): CpeMessage => ({
    type: 'Fault',
    fault: { faultCode, faultString: '' },
    parameterFaults: named === null ? [] : [{ name: 'Device.A', faultCode: named, faultString: '' }],
  });
  for (const code of [9000, 9001, 9002, 9003, 9004, 8005, 9800])
    t.is(verdictOn('Device.A', fault(code)), 'asked again', String(code));
  t.is(verdictOn('Device.A', fault(9005)), 'settled');
  t.is(verdictOn('Device.A', fault(9003, 9005)), 'settled');
  t.is(verdictOn('Device.A', fault(9003, 9003)), 'settled');
  t.is(verdictOn('Device.A', fault(9003, 9002)), 'asked again');
  t.is(verdictOn('Device.B', fault(9003, 9005)), 'asked again');
});

test('an answer without the parameter settles nothing; under a partial path there may be nothing', (t) => {
  const values = (...names: string[]): CpeMessage => ({
    type: 'GetParameterValuesResponse',
    parameters: names.map((name) => ({ name, value: '', xsdType: 'string' })),
  });
  t.is(verdictOn('Device.A', values('Device.A')), 'settled');
  t.is(verdictOn('Device.A', values()), 'asked again');
  t.is(verdictOn('Device.A', values('Device.B')), 'asked again');
  t.is(verdictOn('Device.A.', values()), 'settled');
});

test('a fault in answer to a Download is recorded, not lost', (t) => {
  const busy = message({
    type: 'Fault',
    fault: { faultCode: 9004, faultString: 'busy' },
    parameterFaults: [],
  });
  t.is(play([message(informMessage), informed(), empty, downloadNow, busy]).at(-1), '?record-download');
});

test('an empty POST in place of an answer leaves the upgrade open and ends our turn', (t) => {
  t.is(play([message(informMessage), informed(), empty, downloadNow, empty]).at(-1), '204');
});

const doubt = { upgradeId, repeats: 0, announced: false };
const inDoubt = informed({ facts: { ...facts, doubt } });
const question = (request: QueueQuestion['request'], repeats: number | null = 0) =>
  answer({ to: 'doubt', question: { request, upgradeId, repeats } });
const unsupported = message({
  type: 'Fault',
  fault: { faultCode: 9000, faultString: 'Method not supported' },
  parameterFaults: [],
});
const toQueue = (kind: 'go-on' | 'nothing') => answer({ to: 'record-queue', next: { kind } });
const resend = answer({ to: 'record-queue', next: { kind: 'download', download, upgradeId, repeats: 1 } });
const accepted = message({ type: 'DownloadResponse', status: 1, startTime: '', completeTime: '' });
const allQueued = message({ type: 'GetAllQueuedTransfersResponse', commandKeys: ['k'] });

test('in doubt the CPE is asked once it is quiet, before anything is decided', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      inDoubt,
      transferComplete,
      answer({ to: 'record-transfer-complete' }),
      empty,
      question('GetAllQueuedTransfers'),
      allQueued,
      toQueue('go-on'),
      nothing,
    ]),
    [
      '?record-inform',
      'InformResponse',
      '?record-transfer-complete',
      'TransferCompleteResponse',
      '?doubt',
      'GetAllQueuedTransfers',
      '?record-queue',
      '?decide',
      '204',
    ],
  );
});

test('a doubt that was settled meanwhile is not asked about', (t) => {
  const settled = answer({ to: 'doubt', question: null });
  t.deepEqual(play([message(informMessage), inDoubt, empty, settled, nothing]).slice(2), [
    '?doubt',
    '?decide',
    '204',
  ]);
});

test('a CPE that does not know the newer question is asked the older one, and then no more', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      inDoubt,
      empty,
      question('GetAllQueuedTransfers'),
      unsupported,
      unsupported,
      toQueue('go-on'),
      nothing,
    ]).slice(3),
    ['GetAllQueuedTransfers', 'GetQueuedTransfers', '?record-queue', '?decide', '204'],
  );
});

test('what is sent again is a Download like any other, and nothing is decided after it', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      inDoubt,
      empty,
      question('GetAllQueuedTransfers'),
      message({ type: 'GetAllQueuedTransfersResponse', commandKeys: [] }),
      resend,
      accepted,
      answer({ to: 'record-download' }),
    ]).slice(4),
    ['?record-queue', 'Download', '?record-download', '204'],
  );
});

test('before the next upgrade a CPE is asked what became of the last, and it is decided anew', (t) => {
  const ask = answer({
    to: 'decide',
    decision: {
      kind: 'ask-queue',
      question: { request: 'GetAllQueuedTransfers', upgradeId, repeats: null },
    },
  });
  const asked = [message(informMessage), informed(), empty, ask, allQueued];
  t.deepEqual(play([...asked, toQueue('go-on'), downloadNow]).slice(2), [
    '?decide',
    'GetAllQueuedTransfers',
    '?record-queue',
    '?decide',
    'Download',
  ]);
  t.deepEqual(play([...asked, toQueue('nothing')]).slice(4), ['?record-queue', '204']);
});

test('a CPE that leaves the question unanswered is asked a bounded number of times', (t) => {
  const ask = answer({
    to: 'decide',
    decision: {
      kind: 'ask-queue',
      question: { request: 'GetAllQueuedTransfers', upgradeId, repeats: null },
    },
  });
  const round = [ask, empty];
  const seen = play([message(informMessage), informed(), empty, ...round, ...round, ...round]);
  t.is(seen.filter((entry) => entry === 'GetAllQueuedTransfers').length, 3);
  t.is(seen.at(-1), '204');
});

test('an answer to the other question is none', (t) => {
  const other = message({ type: 'GetQueuedTransfersResponse', commandKeys: [] });
  const asked = [message(informMessage), inDoubt, empty, question('GetAllQueuedTransfers')];
  t.is(play([...asked, other]).at(-1), '?record-unreadable');
  t.is(play([...asked, accepted]).at(-1), '?record-unreadable');
});

const withdrawn = informed({ withdraw: true, facts: { ...facts, doubt: null } });
const cancelNow = answer({
  to: 'withdraw',
  cancel: { upgradeId, commandKey: download.commandKey as CommandKey },
});
const givenUp = message({ type: 'CancelTransferResponse' });
const recorded = answer({ to: 'record-withdrawal' });

test('what somebody wants ended the CPE is asked to give up once it is quiet and settled, before anything is decided', (t) => {
  t.deepEqual(
    play([
      message(informMessage),
      informed({ withdraw: true, settle: true }),
      transferComplete,
      answer({ to: 'record-transfer-complete' }),
      empty,
      answer({ to: 'settle', read: [] }),
      cancelNow,
      givenUp,
      recorded,
      nothing,
    ]).slice(2),
    [
      '?record-transfer-complete',
      'TransferCompleteResponse',
      '?settle',
      '?withdraw',
      'CancelTransfer',
      '?record-withdrawal',
      '?decide',
      '204',
    ],
  );
});

test('it is asked so before the doubt, and once a session', (t) => {
  const doubtful = { ...facts, doubt: { upgradeId, repeats: 0, announced: false } };
  t.deepEqual(
    play([
      message(informMessage),
      informed({ withdraw: true, facts: doubtful }),
      empty,
      cancelNow,
      unsupported,
      recorded,
      question('GetAllQueuedTransfers'),
      allQueued,
      toQueue('go-on'),
      nothing,
      empty,
    ]).slice(2),
    [
      '?withdraw',
      'CancelTransfer',
      '?record-withdrawal',
      '?doubt',
      'GetAllQueuedTransfers',
      '?record-queue',
      '?decide',
      '204',
      '204',
    ],
  );
});

test('where it is settled by then nothing is to be given up', (t) => {
  const settled = answer({ to: 'withdraw', cancel: null });
  t.deepEqual(play([message(informMessage), withdrawn, empty, settled, nothing]).slice(2), [
    '?withdraw',
    '?decide',
    '204',
  ]);
});

test('whatever the CPE answers in place of giving up is recorded: a fault, nothing, or what cannot be read', (t) => {
  const asked = [message(informMessage), withdrawn, empty, cancelNow];
  const outcomeAfter = (...inputs: readonly Input[]) => {
    let session: Session = { phase: 'start' };
    let last: unknown = null;
    for (const input of [...asked, ...inputs]) {
      const taken = step(session, input);
      session = taken.session;
      last = 'ask' in taken && taken.ask.kind === 'record-withdrawal' ? taken.ask.outcome : null;
    }
    return last;
  };
  t.is(outcomeAfter(givenUp), 'given-up');
  t.deepEqual(outcomeAfter(unsupported), { faultCode: 9000, faultString: 'Method not supported' });
  t.is(outcomeAfter(empty), 'unanswered');
  const unread = answer({ to: 'record-unreadable' });
  t.is(outcomeAfter({ kind: 'unreadable', reason: 'no XML' }, unread), 'unanswered');
  t.is(outcomeAfter(accepted, unread), 'unanswered');
});

test('an Inform at any point begins anew', (t) => {
  t.is(
    play([message(informMessage), informed(), empty, downloadNow, message(informMessage)]).at(-1),
    '?record-inform',
  );
});

for (const held of ['isLost', 'isWaiting'] as const)
  test(`${held}: what such a CPE says is taken and not recorded, and it is told nothing`, (t) => {
    const began = informed({ facts: { ...facts, [held]: true } });
    t.deepEqual(
      play([message(informMessage), began, transferComplete, message({ type: 'RequestDownload' }), empty]),
      ['?record-inform', 'InformResponse', 'TransferCompleteResponse', 'RequestDownloadResponse', '204'],
    );
  });
