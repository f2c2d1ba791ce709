import { inSubnet, isSyntaxNode, type SyntaxNode } from '../../condition/index.js';
import { CONTEXT_FIELDS } from '../../vocabulary/index.js';
import { calledBy, constantOf, fieldOf } from './expression.js';
import { type NodeRemark, quoted } from './finding.js';
import { versionRemarks } from './version-lints.js';

/** How these are called: what is missing makes the condition fail, for every CPE. */
const USAGE: ReadonlyMap<string, string> = new Map([
  ['bucket', '$bucket(cpeid, "a name of the roll-out")'],
  ['compareVersions', '$compareVersions(softwareVersion, "2.0")'],
  ['inSubnet', '$inSubnet(ip, "10.0.0.0/8")'],
  ['contains', '$contains(modelName, "X1")'],
  ['match', '$match(modelName, /X1/)'],
]);
const ARGUMENTS = 2;
/** What a search for a text would hardly be for. */
const PATTERN_MARKS = /^\^|[^\\]\$$|\.[*+]|\\[dwsb]|[*%]|\[[^\]]+\]|\([^)]*\|/;

/**
 * What is wrong with how a function is called that a condition is written with: too few arguments, the wrong way round, or of a kind
 * that it fails on, whatever the CPE is.
 */
export function* callRemarks(node: SyntaxNode): Generator<NodeRemark> {
  const name = calledBy(node);
  const usage = name === null ? undefined : USAGE.get(name);
  const given: unknown = node['arguments'];
  if (name === null || usage === undefined || !Array.isArray(given)) return;
  const [first, second]: readonly unknown[] = given;
  if (given.length !== ARGUMENTS) {
    yield {
      code: 'wrong-arguments',
      message: `$${name} has ${ARGUMENTS} arguments and not ${given.length}, and fails without; write ${usage}`,
    };
    return;
  }
  switch (name) {
    case 'bucket':
    case 'inSubnet':
      yield* firstIsField(name, first, second, usage);
      if (name === 'inSubnet') yield* subnetRemarks(second);
      break;
    case 'compareVersions':
      yield* versionArguments(first, second);
      break;
    case 'contains':
    case 'match':
      yield* searchRemarks(name, first, second);
      break;
    default:
      break;
  }
}

function* firstIsField(name: string, first: unknown, second: unknown, usage: string): Generator<NodeRemark> {
  if (constantOf(first) === undefined || fieldOf(second) === null) return;
  yield {
    code: 'wrong-arguments',
    message: `the arguments of $${name} are the wrong way round; write ${usage}`,
  };
}

function* subnetRemarks(subnet: unknown): Generator<NodeRemark> {
  const cidr = constantOf(subnet);
  if (cidr === undefined) return;
  try {
    if (typeof cidr === 'string') {
      inSubnet('192.0.2.1', cidr);
      return;
    }
  } catch {
    // That it is none is what is to be told.
  }
  yield {
    code: 'wrong-arguments',
    message: `${quoted(cidr)} is no subnet, so $inSubnet fails; write it like "10.0.0.0/8", or ip = "10.1.2.3" for one address`,
  };
}

function* versionArguments(...given: readonly unknown[]): Generator<NodeRemark> {
  for (const each of given) {
    const value = constantOf(each);
    if (typeof value === 'number') {
      yield {
        code: 'wrong-arguments',
        message: `$compareVersions orders texts and fails on a number; write ${quoted(String(value))}`,
      };
    }
    if (typeof value === 'string') yield* versionRemarks(value);
  }
}

function* searchRemarks(name: string, text: unknown, wanted: unknown): Generator<NodeRemark> {
  const [field, value] = [fieldOf(text), constantOf(wanted)];
  const list = field !== null && CONTEXT_FIELDS.get(field)?.type === 'list';
  if (list) {
    const shown = typeof value === 'string' ? quoted(value) : '"…"';
    yield {
      code: 'wrong-arguments',
      message: `${field} is a list, and $${name} looks at a text, so it fails; write ${shown} in ${field}`,
    };
    return;
  }
  const searched = constantOf(text);
  if (typeof searched === 'string' && fieldOf(wanted) !== null && !/[,;| ]/.test(searched)) {
    yield {
      code: 'wrong-arguments',
      message: `the arguments of $${name} are the wrong way round; write $${name}(${fieldOf(wanted)}, ${quoted(searched)})`,
    };
    return;
  }
  if (typeof value !== 'string') return;
  if (name === 'match' || PATTERN_MARKS.test(value)) {
    yield {
      code: 'pattern-in-text',
      message: `${quoted(value)} is a text and no pattern; write $${name}(…, /…/) for a pattern`,
    };
  } else if (calledBy(text) === 'lowercase' && value !== value.toLowerCase()) {
    yield {
      code: 'letter-case',
      message: `$lowercase gives no capitals; write ${quoted(value.toLowerCase())}`,
    };
  } else if (calledBy(text) === 'uppercase' && value !== value.toUpperCase()) {
    yield {
      code: 'letter-case',
      message: `$uppercase gives capitals only; write ${quoted(value.toUpperCase())}`,
    };
  }
}

/** Calls that get an argument from what is before them: `x ~> $contains("a")`. */
export function chainedCalls(nodes: Iterable<SyntaxNode>): ReadonlySet<SyntaxNode> {
  const chained = new Set<SyntaxNode>();
  for (const { type, rhs } of nodes) if (type === 'apply' && isSyntaxNode(rhs)) chained.add(rhs);
  return chained;
}
