import { CPE_SCHEMA } from '../../rules/index.js';
import { failures, jsonBody, jsonResponse, ref } from './pieces.js';

/** What became of a rule for one CPE. */
const VERDICTS = [
  'chosen',
  'disabled',
  'suspended',
  'not-automatic',
  'condition-false',
  'condition-error',
  'executions-used-up',
  'already-verified',
  'at-target',
  'waiting-for-retry',
  'window-closed',
  'limit-reached',
  'image-missing',
  'image-does-not-fit',
  'lower-priority',
] as const;

const REQUESTED = {
  type: 'boolean',
  description: 'As if SendCNR had asked for the session; without it, whether it has.',
};
const NOW = { type: 'string', format: 'date-time', description: 'Another time than the present.' };

export const ruleSchemas = {
  Explanation: {
    type: 'object',
    required: ['cpeid', 'kind', 'winner', 'reason', 'upgrade', 'rules', 'omitted'],
    properties: {
      cpeid: { type: 'string' },
      softwareVersion: { type: 'string' },
      kind: {
        enum: ['upgrade', 'at-target', 'read', 'frozen', 'nothing'],
        description:
          'What a session would do now. at-target: a rule for this one CPE is recorded as done; read: the CPE is asked for parameters first.',
      },
      winner: { type: ['string', 'null'] },
      reason: { type: 'string', description: 'Why the winner goes before the others, or why there is none.' },
      reads: { type: 'array', items: { type: 'string' }, description: 'What the CPE would be asked for.' },
      upgrade: { type: ['string', 'null'], description: 'The id of the result of the upgrade under way.' },
      rules: {
        type: 'array',
        description: 'In the order they are considered.',
        items: {
          type: 'object',
          required: ['id', 'verdict', 'priority', 'conjuncts'],
          properties: {
            id: { type: 'string' },
            verdict: { enum: VERDICTS },
            detail: { type: 'string' },
            priority: { type: 'number' },
            conjuncts: {
              type: 'array',
              items: {
                type: 'object',
                required: ['text', 'outcome', 'found'],
                properties: {
                  text: { type: 'string' },
                  column: { type: 'integer', description: 'Where it begins, from 1.' },
                  outcome: { enum: ['true', 'false', 'error', 'not-evaluated'] },
                  found: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['path'],
                      properties: {
                        path: {
                          type: 'string',
                          description: 'A field path, or a call that is compared with something.',
                        },
                        value: { description: 'Absent where the CPE has nothing there.' },
                      },
                    },
                  },
                  message: { type: 'string' },
                },
              },
            },
          },
        },
      },
      omitted: { type: 'integer', description: 'How many rules are not listed.' },
    },
  },
  MatchedCpe: {
    type: 'object',
    required: ['cpeid', 'verdict'],
    properties: {
      cpeid: { type: 'string' },
      softwareVersion: { type: 'string' },
      verdict: { enum: [...VERDICTS, 'condition-true', 'parameters-unread', 'frozen', 'upgrade-under-way'] },
      detail: { type: 'string' },
    },
  },
  MatchReport: {
    type: 'object',
    required: ['id', 'known', 'looked_at', 'matching', 'verdicts', 'cpes', 'errors', 'next'],
    properties: {
      id: { type: ['string', 'null'], description: 'The rule; null for a condition.' },
      as_though_enabled: {
        type: 'boolean',
        description: 'The rule is not enabled; this is as though it were.',
      },
      limits: { type: 'object', description: "The rule's own; they bound how many of the CPEs it takes." },
      known: { type: 'integer', description: 'CPEs this installation knows.' },
      looked_at: {
        type: 'integer',
        description: 'CPEs looked at: where an index shows that others cannot match they are passed over.',
      },
      matching: { type: 'integer', description: 'CPEs for which the condition is true.' },
      would_upgrade_now: { type: 'integer', description: 'Each looked at for itself.' },
      verdicts: { type: 'object', additionalProperties: { type: 'integer' } },
      cpes: { type: 'array', items: ref('MatchedCpe'), description: 'The first of those that match.' },
      errors: {
        type: 'array',
        items: ref('MatchedCpe'),
        description: 'The first for which the condition failed.',
      },
      next: {
        type: ['string', 'null'],
        description: 'Not all were looked at: give this as after to go on. Counts are those of one answer.',
      },
    },
  },
} as const;

const details = (schema: string) => ({
  allOf: [ref('MethodAnswer'), { properties: { details: ref(schema) } }],
});

export const rulePaths = {
  '/v1/method/ExplainRules': {
    post: {
      operationId: 'explainRules',
      summary: 'Tells what would be decided for a CPE now, and what became of each rule',
      description:
        'For a CPE that is known (cpe_id), as if it sent a periodic Inform now, or for one that is described (cpe). Changes nothing. A rule that is not stored takes the role operator.',
      requestBody: jsonBody(
        {
          type: 'object',
          oneOf: [{ required: ['cpe_id'] }, { required: ['cpe'] }],
          properties: {
            cpe_id: { type: 'string' },
            cpe: CPE_SCHEMA,
            rules: {
              type: 'array',
              items: { type: 'string' },
              minItems: 1,
              maxItems: 100,
              description: 'List these only; the winner is looked for among all.',
            },
            rule: { ...ref('Rule'), description: 'Considered as if it were stored.' },
            requested: REQUESTED,
            now: NOW,
            limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 1_000 },
          },
        },
        {
          cpe: {
            productClass: 'HGW',
            softwareVersion: '1.0.0',
            parameters: { 'Device.Users.UserNumberOfEntries': 1 },
          },
          rules: ['x'],
        },
      ),
      responses: {
        '200': jsonResponse('The explanation', details('Explanation')),
        ...failures('MethodAnswer', '404', '413', '415'),
      },
    },
  },
  '/v1/method/MatchDevices': {
    post: {
      operationId: 'matchDevices',
      summary: 'Counts and lists the known CPEs that a rule would upgrade now, as though it were enabled',
      description:
        'For a stored rule (rule_id), one that is not (rule), or a condition alone. Changes nothing. Rules and conditions that are not stored take the role operator. A user may have one search under way.',
      requestBody: jsonBody(
        {
          type: 'object',
          oneOf: [{ required: ['rule_id'] }, { required: ['rule'] }, { required: ['condition'] }],
          properties: {
            rule_id: { type: 'string' },
            rule: ref('Rule'),
            condition: { type: ['string', 'object'] },
            limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100, description: 'CPEs listed.' },
            after: { type: 'string', description: 'A cpeid: look only at those behind it.' },
            timeout: { type: 'integer', minimum: 1, maximum: 30, default: 30, description: 'Seconds.' },
            requested: REQUESTED,
            now: NOW,
          },
        },
        { rule_id: 'UPGRADE_00A1B2-HGW-1' },
      ),
      responses: {
        '200': jsonResponse('The CPEs', details('MatchReport'), {
          result: { code: 200, message: 'OK' },
          details: {
            id: 'UPGRADE_00A1B2-HGW-1',
            as_though_enabled: false,
            known: 0,
            looked_at: 0,
            matching: 0,
            would_upgrade_now: 0,
            verdicts: {},
            cpes: [],
            errors: [],
            next: null,
          },
        }),
        ...failures('MethodAnswer', '404', '413', '415'),
      },
    },
  },
} as const;
