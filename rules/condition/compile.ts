import { type Condition, type ObjectReading, parametersOfField } from '../vocabulary/index.js';
import { closureOf } from './closure.js';
import type { CompiledCondition, Conjunct, Requirement } from './compiled.js';
import { ConditionError } from './condition-error.js';
import { conjunctsOfText } from './conjuncts.js';
import { type ConditionFlaw, flawsOf, isPlain, isRefused } from './flaws/index.js';
import type { Guards } from './guards.js';
import { keepLast } from './keep-last.js';
import { CompiledObject, pinOf } from './object-form.js';
import { subtreesReadBy } from './parameter-subtrees.js';
import { isNameRefused, parse } from './parse.js';
import { requirementsOf } from './requirements.js';
import { nodesOf, pathOf } from './syntax-tree.js';

/** Different texts of which something is kept. Rules in object form, and those that only name a CPE, have no part in it. */
const TEXTS_KEPT_MAX = 2_000;
const PARAMETER_PATHS_MAX = 256;
/** The commonest condition in a text, of which there may be a million: `cpeid = "…"`, with JSONata's blanks and no escapes. */
const ONE_CPE = /^[ \t\n\r\v]*cpeid[ \t\n\r\v]*=[ \t\n\r\v]*(?:"([^"\\]*)"|'([^'\\]*)')[ \t\n\r\v]*$/;

export interface ConditionCompiler {
  /**
   * @param reading  what is meant by a condition in object form; by equality alone unless told
   * @throws ConditionError
   */
  compile(condition: Condition, reading?: ObjectReading): CompiledCondition;
  /**
   * What a condition holds that cannot have been meant. (The object form holds none: each of its keys demands a value, and none can be
   * there twice.) None is told of one that does not compile.
   */
  flaws(condition: Condition): readonly ConditionFlaw[];
  /** Those for which a condition is not taken; the quicker of the two where it plainly has none. */
  refusals(condition: Condition): readonly ConditionFlaw[];
}

export function createConditionCompiler(guards: Guards): ConditionCompiler {
  const compiled = keepLast(TEXTS_KEPT_MAX, (text) => compileText(text, guards));
  const flawed = keepLast(TEXTS_KEPT_MAX, flawsOfText);
  const flaws: ConditionCompiler['flaws'] = (condition) =>
    typeof condition !== 'string' || cpeidOf(condition) !== null ? NO_FLAWS : flawed(condition);
  return {
    compile(condition, reading = 'equality') {
      if (typeof condition !== 'string') return new CompiledObject(condition, reading);
      const cpeid = cpeidOf(condition);
      return cpeid === null ? compiled(condition) : compileOneCpe(condition, cpeid);
    },
    flaws,
    refusals: (condition) =>
      typeof condition === 'string' && isPlain(condition) ? NO_FLAWS : flaws(condition).filter(isRefused),
  };
}

const NO_FLAWS: readonly ConditionFlaw[] = [];

function flawsOfText(text: string): readonly ConditionFlaw[] {
  try {
    return flawsOf(text, parse(text).tree);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return NO_FLAWS;
  }
}

function compileText(text: string, guards: Guards): CompiledCondition {
  const { tree } = parse(text);
  const requirements = requirementsOf(tree);
  let conjuncts: readonly Conjunct[] | null = null;
  return {
    pin: pinOf(requirements),
    name: null,
    isBySerialNumber: () => false,
    requirements,
    closure: closureOf(tree, guards),
    source: { text, bindings: {} },
    // Only explanations ask for them.
    get conjuncts() {
      conjuncts ??= conjunctsOfText(text, {
        parse: (part) => parse(part).tree,
        closureOf: (part) => closureOf(part, guards),
      });
      return conjuncts;
    },
    ...parametersOf(tree),
  };
}

function cpeidOf(text: string): string | null {
  const match = ONE_CPE.exec(text);
  const cpeid = match?.[1] ?? match?.[2];
  // The parser says what is wrong with these.
  return cpeid === undefined || isNameRefused(cpeid) || text.length > 1_024 ? null : cpeid;
}

/** Without the parser: `cpeid = "X"` is true where X is all there is. */
function compileOneCpe(text: string, cpeid: string): CompiledCondition {
  const requirements: readonly Requirement[] = [{ path: ['cpeid'], values: [cpeid] }];
  const closure = (context: object): boolean =>
    Object.hasOwn(context, 'cpeid') && (context as Readonly<Record<string, unknown>>)['cpeid'] === cpeid;
  return {
    pin: pinOf(requirements),
    name: null,
    isBySerialNumber: () => false,
    requirements,
    closure,
    source: { text, bindings: {} },
    get conjuncts() {
      return [{ text: text.trim(), column: text.search(/\S/) + 1, closure, paths: ['cpeid'] }];
    },
    readsParameters: false,
    parameterPaths: [],
    parameterSubtrees: [],
  };
}

/** Which parameters an expression names, and whether it may look at any. */
function parametersOf(
  tree: unknown,
): Pick<CompiledCondition, 'readsParameters' | 'parameterPaths' | 'parameterSubtrees'> {
  let readsParameters = false;
  const paths = new Set<string>();
  for (const { node } of nodesOf(tree)) {
    const { type, value } = node;
    // `*`, `**` and $lookup(…, "parameters") reach them without a path.
    if (value === 'parameters' || type === 'wildcard' || type === 'descendant') readsParameters = true;
    // A field that is a parameter, wherever its name stands: `$lookup($, "modelName")` reads it too.
    const fields =
      (type === 'name' || type === 'string') && typeof value === 'string' ? parametersOfField(value) : [];
    for (const path of [...fields, ...parameterPathOf(pathOf(node))]) {
      if (paths.size < PARAMETER_PATHS_MAX) paths.add(path);
    }
  }
  const parameterSubtrees = readsParameters ? subtreesReadBy(tree) : [];
  return { readsParameters, parameterPaths: [...paths], parameterSubtrees };
}

function parameterPathOf(path: ReturnType<typeof pathOf>): readonly string[] {
  const [first, ...names] = path?.names ?? [];
  // A single step (`Device`) would ask for the whole data model.
  if (path === null || first !== 'parameters' || names.length < 2) return [];
  return [path.whole ? names.join('.') : `${names.join('.')}.`];
}
