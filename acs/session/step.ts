import type {
  AcsMessage,
  AcsRequest,
  CpeMessage,
  CpeRequest,
  CpeResponse,
  Parameter,
} from '../soap/index.js';
import { ACS_FAULT, isResponseName } from '../soap/index.js';
import type { SetNow } from './provisioning.js';
import type {
  Answer,
  CancelNow,
  DownloadNow,
  Input,
  OpenSession,
  Outstanding,
  Query,
  QueueQuestion,
  Session,
  SessionFacts,
  Step,
} from './session.js';

/** The RPCs a CPE may call on this ACS (TR-069 A.3.1.1). The type asks for each that is answered, and for no other. */
export const ACS_METHODS: readonly string[] = Object.keys({
  Inform: true,
  GetRPCMethods: true,
  TransferComplete: true,
  AutonomousTransferComplete: true,
  RequestDownload: true,
} satisfies Readonly<Record<Exclude<CpeRequest['type'], 'unknown'>, true>>);

/** First decision, and one more after each of two readings of parameters: what was read may bring further rules in. */
const DECISIONS_MAX = 3;

/**
 * One step of a CWMP session (TR-069 3.7): what came in, and either what goes out or what must be known or stored first.
 *
 * A CPE's own requests are accepted at any point, also after an empty answer of ours; our requests wait until it has sent
 * an empty POST, so that a TransferComplete of its own comes before anything new is begun.
 */
export function step(session: Session, input: Input): Step {
  switch (input.kind) {
    case 'message': {
      const { message } = input;
      if (message.type === 'Inform') {
        // At any point: a CPE that lost its session begins a new one, often on the same connection.
        return ask({ phase: 'start' }, { kind: 'record-inform', inform: message, style: input.style });
      }
      if (session.phase === 'start') return violation(session, `${message.type} before Inform`);
      if (isHeld(session.facts)) return onHeld(session, message);
      switch (message.type) {
        case 'TransferComplete':
          return ask(session, { kind: 'record-transfer-complete', transferComplete: message });
        case 'AutonomousTransferComplete':
          return ask(session, { kind: 'record-autonomous-transfer', transfer: message });
        case 'GetRPCMethods':
          return reply(session, { type: 'GetRPCMethodsResponse', methods: ACS_METHODS });
        case 'RequestDownload': {
          // Rules decide what it gets, also where they were asked in this session already.
          const decisions = Math.max(1, session.tasks.decisions);
          const wanting: OpenSession = { ...session, tasks: { ...session.tasks, decisions } };
          return reply(wanting, { type: 'RequestDownloadResponse' });
        }
        case 'unknown':
          if (isResponseName(message.name)) return onUnreadable(session, `${message.name} is not known`);
          return reply(session, fault(ACS_FAULT.methodNotSupported, `Method not supported: ${message.name}`));
        default:
          return onResponse(session, message);
      }
    }
    case 'unreadable':
      if (session.phase === 'start') return violation(session, 'what cannot be read came before Inform');
      return onUnreadable(session, input.reason);
    case 'empty':
      if (session.phase === 'start') return violation(session, 'an empty POST without a session');
      return onEmpty({ ...session, outstanding: null, quiet: true }, session.outstanding);
    case 'answer':
      return onAnswer(session, input.answer);
    default:
      return input satisfies never;
  }
}

/** It is told nothing: it cannot prove who it is, or waits to be enrolled. */
function isHeld({ isLost, isWaiting }: SessionFacts): boolean {
  return isLost === true || isWaiting === true;
}

/** Nothing that such a CPE says is recorded; it is taken, so that it does not come again with it at once. */
function onHeld(session: OpenSession, message: CpeMessage): Step {
  switch (message.type) {
    case 'TransferComplete':
      return reply(session, { type: 'TransferCompleteResponse' });
    case 'AutonomousTransferComplete':
      return reply(session, { type: 'AutonomousTransferCompleteResponse' });
    case 'RequestDownload':
      return reply(session, { type: 'RequestDownloadResponse' });
    case 'GetRPCMethods':
      return reply(session, { type: 'GetRPCMethodsResponse', methods: ACS_METHODS });
    case 'unknown':
      return reply(session, fault(ACS_FAULT.methodNotSupported, `Method not supported: ${message.name}`));
    case 'Inform':
      throw new Error('An Inform begins a session of its own');
    default:
      // What it is given anew is answered as ever.
      if (session.outstanding !== null) return onResponse(session, message);
      return reply(
        session,
        fault(
          ACS_FAULT.requestDenied,
          session.facts.isLost === true
            ? 'Log in with the credentials that are yours'
            : 'This CPE waits to be enrolled',
        ),
      );
  }
}

/** An answer that never came: whatever was asked stays open, and its deadline will end it; what was to be read is not asked for again soon. */
function onEmpty(session: OpenSession, unanswered: Outstanding | null): Step {
  if (unanswered?.request === 'GetParameterValues')
    return ask(session, { kind: 'record-parameters', parameters: [], settled: [], failed: unanswered.names });
  if (unanswered?.request === 'CancelTransfer') return recordWithdrawal(session, unanswered, 'unanswered');
  return advance(session);
}

/** What we want next of a CPE that is quiet. */
function advance(session: OpenSession): Step {
  const { tasks } = session;
  if (tasks.settle) return ask({ ...session, tasks: { ...tasks, settle: false } }, { kind: 'settle' });
  if (tasks.provision)
    return ask({ ...session, tasks: { ...tasks, provision: false } }, { kind: 'provision' });
  const [names, ...reads] = tasks.reads;
  if (names !== undefined) return read({ ...session, tasks: { ...tasks, reads } }, names);
  if (tasks.withdraw === true) {
    // Before the doubt, which a CPE that has nothing of the Download settles by its answer.
    const { withdraw: _, ...left } = tasks;
    return ask({ ...session, tasks: left }, { kind: 'withdraw' });
  }
  // Last before the decision: what the CPE has said and shown by now may have settled the doubt.
  if (tasks.doubt) return ask({ ...session, tasks: { ...tasks, doubt: false } }, { kind: 'doubt' });
  if (tasks.decisions > 0) {
    const { queueKnown } = session;
    const decided = { ...session, tasks: { ...tasks, decisions: tasks.decisions - 1 } };
    return ask(decided, { kind: 'decide', queueKnown });
  }
  return { session, reply: { kind: 'empty' } };
}

function onAnswer(session: Session, answer: Answer): Step {
  if (answer.to === 'record-inform') {
    const { facts, settle, provision, withdraw } = answer;
    const open: OpenSession = {
      phase: 'open',
      facts,
      outstanding: null,
      quiet: false,
      tasks: {
        settle,
        provision,
        ...(withdraw === true && { withdraw }),
        doubt: facts.doubt !== null,
        reads: [],
        decisions: isHeld(facts) ? 0 : DECISIONS_MAX,
      },
      queueKnown: false,
    };
    return reply(open, { type: 'InformResponse' });
  }
  if (session.phase === 'start') throw new Error(`An answer to ${answer.to} came before any Inform`);
  switch (answer.to) {
    case 'record-transfer-complete':
      return reply(session, { type: 'TransferCompleteResponse' });
    case 'record-autonomous-transfer':
      return reply(session, { type: 'AutonomousTransferCompleteResponse' });
    case 'record-download':
    case 'record-withdrawal':
    case 'record-parameters':
      return advance(session);
    case 'record-unreadable': {
      const { outstanding } = session;
      if (outstanding === null) throw new Error('What could not be read answered no request');
      return onDeclined({ ...session, outstanding: null }, outstanding, null);
    }
    case 'settle':
      return answer.read.length === 0 ? advance(session) : read(session, answer.read);
    case 'provision':
    case 'record-provisioning':
      return answer.next === null ? advance(session) : setParameters(session, answer.next);
    case 'withdraw':
      return answer.cancel === null ? advance(session) : cancelTransfer(session, answer.cancel);
    case 'doubt':
      return answer.question === null ? advance(session) : askQueue(session, answer.question);
    case 'record-queue':
      return onQueue(session, answer.next);
    case 'decide':
      return onDecision(session, answer.decision);
    default:
      return answer satisfies never;
  }
}

function onDecision(session: OpenSession, decision: Extract<Answer, { to: 'decide' }>['decision']): Step {
  switch (decision.kind) {
    case 'nothing':
      return advance({ ...session, tasks: { ...session.tasks, decisions: 0 } });
    case 'read':
      return read(session, decision.names);
    case 'ask-queue':
      return askQueue(session, decision.question);
    case 'download':
      return sendDownload(session, decision);
    default:
      return decision satisfies never;
  }
}

function onQueue(session: OpenSession, next: Extract<Answer, { to: 'record-queue' }>['next']): Step {
  switch (next.kind) {
    case 'go-on': {
      // The decision that had to wait for this is made again.
      const tasks = { ...session.tasks, decisions: Math.max(1, session.tasks.decisions) };
      return advance({ ...session, tasks, queueKnown: true });
    }
    case 'nothing':
      return advance({ ...session, tasks: { ...session.tasks, decisions: 0 } });
    case 'download':
      return sendDownload(session, next);
    default:
      return next satisfies never;
  }
}

function sendDownload(session: OpenSession, { download, upgradeId, repeats }: DownloadNow): Step {
  // One upgrade in flight per CPE: nothing more is decided in this session.
  const decided: OpenSession = { ...session, tasks: { ...session.tasks, decisions: 0 } };
  return request(decided, download, { request: 'Download', upgradeId, repeats });
}

function cancelTransfer(session: OpenSession, { upgradeId, commandKey }: CancelNow): Step {
  return request(session, { type: 'CancelTransfer', commandKey }, { request: 'CancelTransfer', upgradeId });
}

function recordWithdrawal(
  session: OpenSession,
  { upgradeId }: Pick<CancelNow, 'upgradeId'>,
  outcome: Extract<Query, { kind: 'record-withdrawal' }>['outcome'],
): Step {
  return ask(session, { kind: 'record-withdrawal', upgradeId, outcome });
}

function askQueue(session: OpenSession, question: QueueQuestion): Step {
  return request(session, { type: question.request }, question);
}

function setParameters(session: OpenSession, { attempt, parameters }: SetNow): Step {
  return request(
    session,
    { type: 'SetParameterValues', parameters, parameterKey: '' },
    { request: 'SetParameterValues', attempt },
  );
}

/** The CPE's answer to the request that is outstanding; one to another request counts as one that cannot be read. */
function onResponse(session: OpenSession, response: CpeResponse): Step {
  const { outstanding } = session;
  if (outstanding === null) return violation(session, `${response.type} answers no request`);
  const answered: OpenSession = { ...session, outstanding: null };
  if (response.type === 'Fault') return onDeclined(answered, outstanding, response);
  switch (outstanding.request) {
    case 'Download':
      if (response.type !== 'DownloadResponse') break;
      return ask(answered, {
        kind: 'record-download',
        upgradeId: outstanding.upgradeId,
        repeats: outstanding.repeats,
        outcome: response.status,
      });
    case 'CancelTransfer':
      if (response.type !== 'CancelTransferResponse') break;
      return recordWithdrawal(answered, outstanding, 'given-up');
    case 'GetParameterValues':
      if (response.type !== 'GetParameterValuesResponse') break;
      return ask(answered, {
        kind: 'record-parameters',
        parameters: response.parameters,
        ...answeredOf(outstanding.names, response.parameters),
      });
    case 'SetParameterValues':
      if (response.type !== 'SetParameterValuesResponse') break;
      return ask(answered, {
        kind: 'record-provisioning',
        attempt: outstanding.attempt,
        answer: { kind: 'set' },
      });
    case 'GetAllQueuedTransfers':
    case 'GetQueuedTransfers':
      if (response.type !== 'GetAllQueuedTransfersResponse' && response.type !== 'GetQueuedTransfersResponse')
        break;
      if (response.type !== `${outstanding.request}Response`) break;
      return ask(answered, {
        kind: 'record-queue',
        question: outstanding,
        commandKeys: response.commandKeys,
      });
    default:
      return outstanding satisfies never;
  }
  return onUnreadable(session, `${response.type} answers ${outstanding.request}`);
}

/**
 * A response of which nothing can be made. It must not be answered with a fault (TR-069 3.5), and to end the session for it would end
 * every session of such a CPE at the same place.
 */
function onUnreadable(session: OpenSession, reason: string): Step {
  const { outstanding } = session;
  if (outstanding === null) return violation(session, `a response to no request: ${reason}`);
  // It is outstanding until the trace is left.
  return ask(session, { kind: 'record-unreadable', request: outstanding.request, reason });
}

/** @param told  in which words the CPE declined; null where they could not be read, or it may have taken what was asked */
function onDeclined(session: OpenSession, outstanding: Outstanding, told: Fault | null): Step {
  switch (outstanding.request) {
    case 'Download':
      // Whether it has the Download nobody knows: it stays sent, and the next session asks.
      if (told === null) return advance(session);
      return ask(session, {
        kind: 'record-download',
        upgradeId: outstanding.upgradeId,
        repeats: outstanding.repeats,
        outcome: told.fault,
      });
    case 'CancelTransfer':
      return recordWithdrawal(session, outstanding, told?.fault ?? 'unanswered');
    case 'GetParameterValues': {
      // One unknown name fails the whole call (TR-069 A.3.2.2): halves find it out, and bring the values of the others.
      const { names } = outstanding;
      if (names.length > 1) {
        const middle = Math.ceil(names.length / 2);
        const reads = [names.slice(0, middle), names.slice(middle), ...session.tasks.reads];
        return advance({ ...session, tasks: { ...session.tasks, reads } });
      }
      const isUnknown = told !== null && names.every((name) => saysUnknown(told, name));
      const verdict = isUnknown ? { settled: names, failed: [] } : { settled: [], failed: names };
      return ask(session, { kind: 'record-parameters', parameters: [], ...verdict });
    }
    case 'SetParameterValues':
      return ask(session, {
        kind: 'record-provisioning',
        attempt: outstanding.attempt,
        answer:
          told === null
            ? { kind: 'unreadable' }
            : { kind: 'refused', fault: told.fault, parameterFaults: told.parameterFaults },
      });
    case 'GetAllQueuedTransfers':
      // Usually "method not supported"; whatever it is, the older request may fare better.
      return askQueue(session, { ...outstanding, request: 'GetQueuedTransfers' });
    case 'GetQueuedTransfers':
      return ask(session, { kind: 'record-queue', question: outstanding, commandKeys: null });
    default:
      return outstanding satisfies never;
  }
}

type Fault = Pick<Extract<CpeResponse, { type: 'Fault' }>, 'fault' | 'parameterFaults'>;

const FAULT_INVALID_PARAMETER_NAME = 9005;
/** They tell of the CPE, not of what it was asked for: request denied, internal error, resources exceeded (TR-069 A.5.1). */
const FAULTS_OF_THE_MOMENT: ReadonlySet<number> = new Set([9001, 9002, 9004]);

/** Whether the CPE says that there is no such parameter, as opposed to that it cannot tell its value now. */
function saysUnknown({ fault, parameterFaults }: Fault, name: string): boolean {
  if (fault.faultCode === FAULT_INVALID_PARAMETER_NAME) return true;
  return parameterFaults.some((told) => told.name === name && !FAULTS_OF_THE_MOMENT.has(told.faultCode));
}

/** An answer without what was asked for settles nothing; but under a partial path there may be nothing. */
function answeredOf(names: readonly string[], parameters: readonly Parameter[]) {
  const told = new Set(parameters.map(({ name }) => name));
  const isTold = (name: string) => name.endsWith('.') || told.has(name);
  return { settled: names.filter(isTold), failed: names.filter((name) => !isTold(name)) };
}

function read(session: OpenSession, names: readonly string[]): Step {
  return request(session, { type: 'GetParameterValues', names }, { request: 'GetParameterValues', names });
}

function request(session: OpenSession, message: AcsRequest, outstanding: Outstanding): Step {
  return reply({ ...session, outstanding }, message);
}

function reply(session: Session, message: AcsMessage): Step {
  return { session, reply: { kind: 'message', message } };
}

function ask(session: Session, query: Query): Step {
  return { session, ask: query };
}

function violation(session: Session, reason: string): Step {
  return { session, reply: { kind: 'violation', reason } };
}

function fault(faultCode: number, faultString: string): AcsMessage {
  return { type: 'Fault', fault: { faultCode, faultString } };
}
