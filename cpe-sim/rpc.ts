import { isValueOf, type ParameterSet } from './data-model.js';
import { faultStringOf } from './fault.js';
import type { AcsRequest, CpeResponse, NamedValue, ParameterFault, SetParameter } from './soap/index.js';

/** Most parameters in one answer; beyond it the fault is 9004. */
const ANSWER_PARAMETERS_MAX = 20_000;

/** The requests that touch nothing but the data model. */
export type DataModelRequest = Extract<
  AcsRequest,
  {
    readonly type: 'GetParameterValues' | 'GetParameterNames' | 'SetParameterValues' | 'invalid' | 'unknown';
  }
>;

/** A Fault answer; without a text of its own it has the standard's (TR-069 A.5.1). */
export function faultResponse(
  faultCode: number,
  faultString: string = faultStringOf(faultCode),
  parameterFaults: readonly ParameterFault[] = [],
): CpeResponse {
  return { type: 'Fault', fault: { faultCode, faultString }, parameterFaults };
}

/**
 * Answers what an ACS asks of the data model (TR-069 A.3.2.1 to A.3.2.3); SetParameterValues changes `parameters`, all
 * of them or none.
 */
export function answerDataModelRequest(request: DataModelRequest, parameters: ParameterSet): CpeResponse {
  switch (request.type) {
    case 'GetParameterValues':
      return getParameterValues(request.names, parameters);
    case 'GetParameterNames':
      return getParameterNames(request.path, request.nextLevel, parameters);
    case 'SetParameterValues':
      return setParameterValues(request.parameters, request.parameterKey, parameters);
    case 'invalid':
      return faultResponse(9003, `Invalid arguments: ${request.reason}`.slice(0, 256));
    case 'unknown':
      return faultResponse(9000);
    default:
      return unreachable(request);
  }
}

function unreachable(request: never): never {
  throw new TypeError(`no such request: ${JSON.stringify(request)}`);
}

function isPartial(path: string): boolean {
  return path === '' || path.endsWith('.');
}

function getParameterValues(names: readonly string[], parameters: ParameterSet): CpeResponse {
  const found = new Map<string, NamedValue>();
  for (const name of names) {
    if (isPartial(name) && name !== '' && parameters.model.object(name) === undefined)
      return faultResponse(9005, `Invalid parameter name: ${name.slice(0, 200)}`);
    for (const path of isPartial(name) ? parameters.model.below(name) : [name]) {
      if (path.endsWith('.')) continue;
      const value = parameters.named(path);
      if (value === undefined) return faultResponse(9005, `Invalid parameter name: ${path.slice(0, 200)}`);
      found.set(path, value);
      if (found.size > ANSWER_PARAMETERS_MAX) return faultResponse(9004);
    }
  }
  return { type: 'GetParameterValuesResponse', parameters: [...found.values()] };
}

function getParameterNames(path: string, nextLevel: boolean, parameters: ParameterSet): CpeResponse {
  const { model } = parameters;
  const describe = (name: string): { name: string; writable: boolean } => ({
    name,
    writable: model.parameter(name)?.writable ?? model.object(name) ?? false,
  });
  if (!isPartial(path)) {
    // TR-069 A.3.2.3: NextLevel true is an error for a parameter.
    if (nextLevel) return faultResponse(9003);
    if (model.parameter(path) === undefined) return faultResponse(9005);
    return { type: 'GetParameterNamesResponse', parameters: [describe(path)] };
  }
  if (path !== '' && model.object(path) === undefined) return faultResponse(9005);
  const found = path === '' || nextLevel ? [] : [describe(path)];
  for (const name of model.below(path)) {
    if (nextLevel && /\../.test(name.slice(path.length))) continue;
    found.push(describe(name));
    if (found.length > ANSWER_PARAMETERS_MAX) return faultResponse(9004);
  }
  return { type: 'GetParameterNamesResponse', parameters: found };
}

function setParameterValues(
  values: readonly SetParameter[],
  parameterKey: string,
  parameters: ParameterSet,
): CpeResponse {
  const seen = new Set<string>();
  const faults: ParameterFault[] = [];
  for (const value of values) {
    const faultCode = seen.has(value.name) ? 9003 : faultOfSetting(value, parameters);
    seen.add(value.name);
    if (faultCode !== null)
      faults.push({ name: value.name, faultCode, faultString: faultStringOf(faultCode) });
  }
  if (faults.length > 0) return faultResponse(9003, faultStringOf(9003), faults);
  for (const { name, value } of values) parameters.set(name, value);
  parameters.set(parameters.path('ManagementServer.ParameterKey'), parameterKey);
  return { type: 'SetParameterValuesResponse', status: 0 };
}

function faultOfSetting({ name, value, type }: SetParameter, parameters: ParameterSet): number | null {
  const parameter = parameters.model.parameter(name);
  if (parameter === undefined) return 9005;
  if (!parameter.writable) return 9008;
  if (type !== null && type !== parameter.type && !(type === 'base64Binary' && parameter.type === 'base64'))
    return 9006;
  if (!isValueOf(parameter.type, value)) return 9007;
  if (name === parameters.path('ManagementServer.URL') && !isHttpUrl(value)) return 9007;
  if (name === parameters.path('ManagementServer.PeriodicInformInterval') && Number(value) < 1) return 9007;
  return null;
}

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && value.length <= 256 && URL.canParse(value);
}
