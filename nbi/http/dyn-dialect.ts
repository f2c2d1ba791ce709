import { type Dialect, renderJson } from './dialect.js';

/** As `/v1/dyn` answers, and whatever has no dialect of its own. */
export interface DynDialect extends Dialect {
  readonly name: string;
  readonly message: string;
  /**
   * The body of an answer that carries something, or nothing (`''`).
   * @param warnings  what whoever asked should hear beside; where there is nothing nothing says so
   */
  answer(code: number, details: unknown, warnings?: readonly unknown[]): unknown;
  /** What stands before and after the entries of a list that is streamed. */
  readonly listHead: string;
  readonly listTail: string;
}

/** `{"code":200,"message":"response from FirmwareStorage","details":…}` */
export function dynDialect(name: string): DynDialect {
  const message = `response from ${name}`;
  const answer = (code: number, details: unknown, warnings: readonly unknown[] = []) => ({
    code,
    message,
    details,
    ...(warnings.length > 0 && { warnings }),
  });
  return {
    name,
    message,
    answer,
    error: ({ status, problems }) => renderJson(answer(status, problems.length === 0 ? '' : problems)),
    listHead: `{"code":200,"message":${JSON.stringify(message)},"details":[`,
    listTail: ']}',
  };
}
