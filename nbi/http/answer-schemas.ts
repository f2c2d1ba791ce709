/** The shapes in which Ferry's own dialects answer, under `#/components/schemas`. */
export const answerSchemas = {
  Problem: {
    type: 'object',
    required: ['field', 'expected'],
    properties: {
      field: {
        type: 'string',
        description: 'Dotted path, parameter or header; empty for the body as a whole.',
      },
      expected: { type: 'string', description: 'What it should be, with the remedy.' },
      found: { type: 'string' },
      code: { type: 'string' },
      item: { type: 'integer', description: 'Which entry of an array, counted from 0.' },
      line: { type: 'integer' },
      column: { type: 'integer' },
      ids: { type: 'array', items: { type: 'string' } },
    },
  },
  Answer: {
    type: 'object',
    required: ['code', 'message', 'details'],
    properties: {
      code: { type: 'integer', description: 'As the HTTP status; 204 comes with HTTP 200.' },
      message: { type: 'string', description: '`response from ` and the storage.' },
      details: { description: 'What was asked for; empty, or an array of Problem, where there is none.' },
      warnings: {
        type: 'array',
        items: { type: 'object' },
        description:
          'Of rules that were stored all the same (Warning); absent where there is nothing to be said.',
      },
    },
  },
} as const;
