import {
  type DecisionInput,
  fieldOfParameter,
  type ImageFacts,
  isSecretParameter,
  type ParameterTree,
  type ParameterValue,
  type Subtrees,
} from '../vocabulary/index.js';
import { fitGate, type Refusal } from './gates.js';

const ROOT = /^(?:Device|InternetGatewayDevice)\./;
const ROOTS = ['Device', 'InternetGatewayDevice'];
const PARAMETER = /^(?:Device|InternetGatewayDevice)(?:\.[A-Za-z0-9_-]+){1,16}$/;
/** A parameter's name is string(256) (TR-069 A.3.2.2). */
const PARAMETER_CHARACTERS_MAX = 256;

/** Where CPEs tell which board they are. */
export interface BoardParameter {
  /** As it was configured. */
  readonly name: string;
  /** The same below each root: a fleet has CPEs of both. */
  readonly paths: readonly string[];
  /** What must be read of a data model to see it. */
  readonly subtrees: readonly string[];
}

/** Whether a text can be a {@link BoardParameter}: the full name of a parameter, and of none whose value is not kept. */
export function isBoardParameter(name: string): boolean {
  return name.length <= PARAMETER_CHARACTERS_MAX && PARAMETER.test(name) && !isSecretParameter(name);
}

/** @param name  one that {@link isBoardParameter} takes; empty for none */
export function boardParameterOf(name: string): BoardParameter | null {
  if (name === '') return null;
  const paths = ROOTS.map((root) => name.replace(ROOT, `${root}.`));
  return { name, paths, subtrees: paths.map((path) => path.split('.', 2).join('.')) };
}

/** What a decision looks at of the data model, with the board. */
export function withBoard(board: BoardParameter | null, subtrees: Subtrees): Subtrees {
  if (board === null || subtrees === null) return subtrees;
  return [...new Set([...subtrees, ...board.subtrees])];
}

/** The CPE is to be asked for its board first. */
export interface BoardUnread {
  readonly read: readonly string[];
  readonly detail: string;
}

/** Where nobody asks the CPE: its rule has another go when the board is known. */
export function boardNotKnown({ detail }: BoardUnread): Refusal {
  return { verdict: 'image-does-not-fit', detail };
}

/** The CPE was asked for its board in vain, and will be again. */
function boardNotTold({ name }: BoardParameter): Refusal {
  const detail = `the image is for boards, and the CPE could not tell ${name} when it was asked; it is asked again after a boot or a day`;
  return { verdict: 'image-does-not-fit', detail, isProvisional: true };
}

/** Whether a CPE may get an image; where that is for boards, as far as the CPE's is known, or what to ask the CPE for. */
export async function fitOf(
  parameter: BoardParameter | null,
  image: ImageFacts,
  input: Pick<DecisionInput, 'context' | 'readParameters' | 'unread' | 'isUntold'>,
): Promise<Refusal | BoardUnread | null> {
  const { context } = input;
  const { boards, ...others } = image;
  if (boards === undefined || parameter === null) return fitGate(image, context);
  const refusal = fitGate(others, context);
  if (refusal !== null) return refusal;
  const value = boardIn(parameter, context) ?? boardAmong(parameter, await input.readParameters());
  if (value === null) {
    const read = await input.unread(parameter.paths, 'board');
    if (read.length > 0) {
      return {
        read,
        detail: `the image is for boards, and the CPE would first be asked for ${read.join(', ')}`,
      };
    }
    if (input.isUntold?.(parameter.paths) === true) return boardNotTold(parameter);
  }
  return fitGate(image, context, { parameter: parameter.name, value });
}

/** Why a CPE may not get an image, in words; null: it may, or would first be asked for its board. */
export async function whyNotFitting(...asked: Parameters<typeof fitOf>): Promise<string | null> {
  const found = await fitOf(...asked);
  return found === null || 'read' in found ? null : (found.detail ?? 'the image does not fit');
}

/** Of what the CPE's document has a field for. */
function boardIn({ paths }: BoardParameter, context: DecisionInput['context']): string | null {
  for (const path of paths) {
    const field = fieldOfParameter(path);
    const value = field === undefined ? null : textOf(context[field]);
    if (value !== null) return value;
  }
  return null;
}

function boardAmong({ paths }: BoardParameter, parameters: ParameterTree): string | null {
  for (const path of paths) {
    let found: ParameterTree | ParameterValue | undefined = parameters;
    for (const step of path.split('.')) {
      found = typeof found === 'object' && Object.hasOwn(found, step) ? found[step] : undefined;
    }
    const value = typeof found === 'object' ? null : textOf(found);
    if (value !== null) return value;
  }
  return null;
}

function textOf(value: ParameterValue | undefined): string | null {
  const text = value === undefined ? '' : String(value).trim();
  return text === '' ? null : text;
}
