/** JSONata's words for what can go wrong in the compiled subset; `{{…}}` is a detail as JSON. */
const MESSAGES = {
  T0410: 'Argument {{index}} of function {{token}} does not match function signature',
  T0411: 'Context value is not a compatible type with argument {{index}} of function {{token}}',
  T0412: 'Argument {{index}} of function {{token}} must be an array of {{type}}',
  D1001: 'Number out of range: {{value}}',
  D1002: 'Cannot negate a non-numeric value: {{value}}',
  D1004: 'Regular expression matches zero length string',
  // JSONata's own speaks of an infinite loop, which a closure cannot have.
  D1012: 'The condition takes more than {{value}} steps on what this CPE has',
  T2001: 'The left side of the {{token}} operator must evaluate to a number',
  T2002: 'The right side of the {{token}} operator must evaluate to a number',
  T2009:
    'The values {{value}} and {{value2}} either side of operator {{token}} must be of the same data type',
  T2010: 'The expressions either side of operator {{token}} must evaluate to numeric or string values',
  D2015: 'The maximum sequence length of {{value}} was exceeded.',
  D3001: 'Attempting to invoke string function on Infinity or NaN',
  D3030: 'Unable to cast value to a number: {{value}}',
  D3040: 'Third argument of match function must evaluate to a positive number',
} as const;

export type FaultCode = keyof typeof MESSAGES;

/** What a message may mention: `value`, `value2`, `index`, `type`. */
export type FaultDetails = Readonly<Record<string, unknown>>;

/** What a closure throws where JSONata would throw: the same code, and in the end the same message. */
export class ConditionFault extends Error {
  override readonly name = 'ConditionFault';
  /** The operator or function that is blamed. */
  token: string | undefined;

  constructor(
    readonly code: FaultCode,
    readonly details: FaultDetails = {},
  ) {
    super(code);
  }

  /** Puts it in words, once it is settled who is blamed. */
  describe(): this {
    const found: FaultDetails = { ...this.details, token: this.token };
    this.message = MESSAGES[this.code].replace(/\{\{(\w+)\}\}/g, (_, name: string) =>
      String(JSON.stringify(found[name])),
    );
    return this;
  }
}

/** An error of one of JSONata's own functions, which throw plain objects, as a closure throws it. */
export function faultOf(error: unknown): unknown {
  if (error instanceof ConditionFault) return error;
  if (typeof error !== 'object' || error === null || !('code' in error) || !isFaultCode(error.code))
    return error;
  return new ConditionFault(error.code, { ...error });
}

function isFaultCode(code: unknown): code is FaultCode {
  return typeof code === 'string' && Object.hasOwn(MESSAGES, code);
}

/** Blames the operator or function `token`, unless someone is blamed already. */
export function blame(error: unknown, token: string): unknown {
  if (error instanceof ConditionFault) error.token ??= token;
  return error;
}
