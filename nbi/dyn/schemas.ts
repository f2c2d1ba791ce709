import { PROOFS, SUBJECTS } from '../../events/index.js';
import { BUILD_IMAGES_MAX } from '../../firmware/index.js';
import { RULES_EACH_MAX } from '../../organizations/index.js';
import { RULE_SCHEMA } from '../../rules/index.js';
import { ref } from '../http/index.js';

const NUMBER_OF = 'The number of that name in the installation, for good; it is not written.';

/** What devices a firmware is for. */
const PRODUCT = {
  productFamily: { type: ['string', 'null'], description: 'As their maker calls it, at most 64 characters.' },
  productFamilyNumber: { type: ['integer', 'null'], description: NUMBER_OF },
  productModel: { type: ['string', 'null'], description: 'As their maker calls it, at most 64 characters.' },
  productModelNumber: { type: ['integer', 'null'], description: NUMBER_OF },
} as const;

/** What one alternative has, and the others have not. */
const hasOne = (name: string) => ({ required: [name], properties: { [name]: {} } });

/** Whose something is, and since when. */
const OWNED = {
  created: { type: 'integer', description: 'In epoch seconds; it is not written.' },
  modified: { type: 'integer', description: 'In epoch seconds; it is not written.' },
  shared: {
    type: 'boolean',
    description:
      "True, to whoever sees an organization's: it is the installation's, which all organizations have.",
  },
  organization: {
    type: 'string',
    description:
      'The slug of the organization that it belongs to, where it does; told to users of the installation.',
  },
} as const;

/** The shapes of `/v1/dyn`, under `#/components/schemas`. */
export const dynSchemas = {
  Organization: {
    type: 'object',
    description: 'Whose CPEs are whose, among several who share this Ferry.',
    required: ['id', 'name', 'slug', 'active', 'isDefault', 'order', 'rules'],
    properties: {
      id: { type: 'string' },
      name: { type: 'string', description: '1 to 100 printable characters.' },
      slug: { type: 'string', pattern: '^[a-z0-9-]{1,40}$', description: 'Of its own.' },
      active: {
        type: 'boolean',
        description: 'While it is not its rules do not hold; CPEs that were put there by hand stay.',
      },
      isDefault: {
        type: 'boolean',
        description: 'CPEs belong to it that belong to no other. There is one; it is not written.',
      },
      order: {
        type: 'integer',
        minimum: 0,
        maximum: 1_000_000,
        description: 'Rules of the smallest are looked at first, and of the same those of the oldest.',
      },
      rules: {
        type: 'array',
        maxItems: RULES_EACH_MAX,
        description: 'A CPE belongs to it by the first rule of all organizations that holds.',
        items: {
          oneOf: [
            {
              type: 'object',
              required: ['subnet'],
              properties: { subnet: { type: 'string', description: 'An address or CIDR notation.' } },
              additionalProperties: false,
            },
            {
              type: 'object',
              required: ['username'],
              properties: {
                username: {
                  type: 'string',
                  description: 'What the CPE logs in as; with * at its end, how that begins.',
                },
              },
              additionalProperties: false,
            },
            {
              type: 'object',
              required: ['condition'],
              properties: { condition: RULE_SCHEMA.properties.condition },
              additionalProperties: false,
            },
          ],
        },
      },
      created: { type: 'integer', description: 'In epoch seconds; it is not written.' },
    },
  },
  Category: {
    type: 'object',
    description: 'Builds of one firmware that follow one another.',
    required: ['id', 'name', 'description', 'builds', 'created', 'modified'],
    properties: {
      id: { type: 'string' },
      name: {
        type: 'string',
        description: '1 to 64 printable characters, its own among those of its owner.',
      },
      description: { type: 'string', description: 'At most 4,096 characters.' },
      ...PRODUCT,
      builds: { type: 'integer', description: 'How many it has; it is not written.' },
      ...OWNED,
    },
  },
  Build: {
    type: 'object',
    description: 'One version of the firmware of a category: an image for each type of device.',
    required: [
      'id',
      'category',
      'version',
      'os',
      'targetVersion',
      'changelog',
      'images',
      'created',
      'modified',
    ],
    properties: {
      id: { type: 'string' },
      category: { type: 'string', description: 'The id of its category; its name will do to write it.' },
      version: { type: 'string', description: '1 to 128 printable characters, its own in the category.' },
      os: {
        type: ['string', 'null'],
        description: 'What a CPE reports that runs it; its own among the builds of its owner.',
      },
      targetVersion: {
        type: 'string',
        description:
          'What a CPE is to report once it runs the build: `os`, else the `softwareVersion` that all of its images have, else `version`; it is not written.',
      },
      changelog: { type: 'string', description: 'At most 65,536 characters.' },
      images: {
        type: 'array',
        maxItems: BUILD_IMAGES_MAX,
        description: 'One of each type. They are put there by /v1/images.',
        items: {
          type: 'object',
          required: ['type', 'name'],
          properties: { type: { type: 'string' }, name: { type: 'string' } },
        },
      },
      ...PRODUCT,
      ...OWNED,
    },
  },
  BuildCount: {
    description: 'What deleting builds, or categories, would come to.',
    allOf: [
      ref('Answer'),
      {
        properties: {
          code: { enum: [200] },
          details: {
            type: 'object',
            properties: {
              builds: { type: 'integer', minimum: 1 },
              categories: { type: 'integer', minimum: 1 },
            },
          },
        },
      },
    ],
  },
  BulkReport: {
    description: 'A line of the report on what was stored while it came: rules, or credentials of CPEs.',
    oneOf: [
      {
        title: 'One that is to blame for its batch being refused; comes before the batch',
        type: 'object',
        required: ['code', 'details'],
        oneOf: [hasOne('line'), hasOne('item')],
        properties: {
          line: { type: 'integer', minimum: 1, description: 'Of NDJSON.' },
          item: { type: 'integer', minimum: 0, description: 'Of an array.' },
          code: { enum: [400, 409] },
          details: { type: 'array', minItems: 1, items: ref('Problem') },
        },
        additionalProperties: false,
      },
      {
        title: 'A batch: stored as a whole, or not at all',
        type: 'object',
        required: ['code', 'written', 'unchanged'],
        oneOf: [hasOne('lines'), hasOne('items')],
        properties: {
          lines: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer' } },
          items: { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer' } },
          code: { enum: [204, 400, 409] },
          written: { type: 'integer' },
          unchanged: { type: 'integer', description: 'Stored already as they were posted.' },
          warnings: {
            type: 'array',
            description: 'Rules that may not be what is meant; absent where there are none.',
            items: {
              type: 'object',
              required: ['id', 'code', 'message'],
              properties: {
                id: { type: 'string', description: 'Of the rule.' },
                code: { enum: ['not-again', 'unknown-serial', 'ambiguous-serial', 'patterns'] },
                message: { type: 'string' },
              },
            },
          },
        },
        additionalProperties: false,
      },
      {
        title: 'The sum, always the last line: a report without it is of a load that broke off',
        type: 'object',
        required: ['code', 'message', 'written', 'unchanged', 'refused'],
        properties: {
          code: {
            type: 'integer',
            description:
              '204 all stored, 207 some batches refused, 400 all of them; another, or 400 with details: why no more of the body was read.',
          },
          message: { type: 'string' },
          written: { type: 'integer' },
          unchanged: { type: 'integer' },
          refused: { type: 'integer', description: 'How many were in batches that were refused.' },
          details: { type: 'array', items: ref('Problem') },
        },
        additionalProperties: false,
      },
    ],
  },
  AuditEntry: {
    type: 'object',
    description: 'Something that somebody has done.',
    required: ['id', 'time', 'action', 'subject', 'subjectId'],
    properties: {
      id: { type: 'string', description: 'Sorts by time.' },
      time: { type: 'integer', description: 'In epoch seconds.' },
      action: {
        type: 'string',
        description: 'What was done: added, changed, removed, restarted, enrolled, named, called, frozen, …',
      },
      subject: { enum: SUBJECTS, description: 'To what.' },
      subjectId: {
        type: 'string',
        description: 'Its id, as its storage shows it; * where it is about many at once.',
      },
      by: {
        type: 'object',
        description: 'Who did it; absent: it came about.',
        required: ['name', 'how'],
        properties: {
          name: {
            type: 'string',
            description:
              'Of the user; of a command whoever ran it, as the system names him; of a rule file its name.',
          },
          how: { enum: PROOFS, description: 'By what he was known.' },
          credential: { type: 'string', description: 'The id of the token or the session that was shown.' },
          organization: { type: 'string', description: 'That the user was of.' },
          address: { type: 'string', description: 'Of the client, without proxies.' },
          requestId: { type: 'string', description: 'X-Request-Id of the answer.' },
        },
      },
      organization: { type: 'string', description: 'To which it belongs; absent: the installation.' },
      before: {
        type: 'object',
        description: 'Of what was there the fields that differ, without secrets; absent: nothing was.',
      },
      after: { type: 'object', description: 'The same of what is there now; absent: nothing is.' },
    },
  },
  CpeLogin: {
    type: 'object',
    description: 'What a CPE is to log in with: its ManagementServer.Username and Password.',
    required: ['cpeid', 'password'],
    properties: {
      cpeid: {
        type: 'string',
        format: 'cpeid',
        description: 'As DeviceStorage shows it; it need not be known yet.',
      },
      username: { type: 'string', maxLength: 256, description: 'Without a colon; else the cpeid.' },
      password: { type: 'string', minLength: 1, maxLength: 256, writeOnly: true },
    },
    additionalProperties: false,
  },
  CpeCredential: {
    type: 'object',
    required: ['id', 'username', 'cpeid', 'proven', 'since'],
    properties: {
      id: { type: 'string', description: 'The same as username.' },
      username: { type: 'string' },
      cpeid: { type: 'string' },
      formerly: {
        type: 'array',
        items: { type: 'string' },
        description: 'Cpeids that it had before its OUI changed with an upgrade: it may speak for them too.',
      },
      proven: { type: 'boolean', description: 'The CPE has used the newest password.' },
      since: { type: 'integer', description: 'When it was given its newest password, in epoch seconds.' },
      firstUsed: {
        type: 'integer',
        description: 'When it used that first, in epoch seconds; absent: not yet.',
      },
    },
  },
  User: {
    type: 'object',
    required: ['id', 'name', 'role', 'active', 'scCloud', 'created'],
    properties: {
      id: { type: 'string', description: 'The same as name.' },
      name: { type: 'string' },
      role: { enum: ['viewer', 'operator', 'admin'] },
      active: { type: 'boolean', description: 'Whoever is not cannot log in, by whatever means.' },
      scCloud: {
        type: 'boolean',
        description: 'Whether he can log in to /sc_cloud, by the MD5 of his password.',
      },
      created: { type: 'integer', description: 'In epoch seconds.' },
    },
    additionalProperties: false,
  },
  Token: {
    type: 'object',
    required: ['id', 'name', 'user', 'role', 'subnets', 'created'],
    properties: {
      id: { type: 'string', description: 'The part of a token that is no secret.' },
      name: { type: 'string' },
      user: { type: 'string', description: 'Whose it is.' },
      role: {
        enum: ['viewer', 'operator', 'admin'],
        description: 'What it is limited to; never more than its user may at the time.',
      },
      subnets: {
        type: 'array',
        items: { type: 'string' },
        description: 'From where it may be used; empty: from anywhere.',
      },
      created: { type: 'integer', description: 'In epoch seconds.' },
      expiresAt: {
        type: 'integer',
        description:
          'In epoch seconds; absent of a permanent one, which holds until its user has another password.',
      },
      lastUsed: {
        type: 'integer',
        description: 'In epoch seconds, to the minute; absent: not yet.',
      },
      lastUsedFrom: { type: 'string', description: 'The address of whoever used it then.' },
      token: {
        type: 'string',
        description: 'All of it, as it is to be sent; in the answer to its making alone.',
      },
    },
    additionalProperties: false,
  },
  TokenMade: {
    description: 'A token that has just been made.',
    allOf: [ref('Answer'), { properties: { code: { enum: [200] }, details: ref('Token') } }],
  },
  /** What rules are checked by, so that the document cannot say anything else; and what is shown beside a rule. */
  Rule: {
    ...RULE_SCHEMA,
    properties: {
      ...RULE_SCHEMA.properties,
      organization: {
        type: 'string',
        description:
          'The slug of the organization whose rule it is, where those of all are listed; absent: of the installation. It can be posted again to that organization, and is not stored.',
      },
      owner: {
        type: 'object',
        readOnly: true,
        description:
          'What made the rule, such as a batch, and alone changes it, but for `enabled`; it runs only as long as that lets it. Absent: somebody wrote it.',
        required: ['kind', 'id'],
        properties: {
          kind: { enum: ['batch'] },
          id: { type: 'string', description: 'Of the batch.' },
        },
      },
      lastError: {
        type: 'object',
        readOnly: true,
        description:
          'What the rule failed with last since it was edited: its condition, or for want of its image; absent where it did not.',
        required: ['at', 'cpeid', 'code', 'message'],
        properties: {
          at: { type: 'integer', description: 'In epoch seconds.' },
          cpeid: { type: 'string', description: 'The CPE that it was for.' },
          code: {
            type: 'string',
            description:
              "JSONata's code, such as D1012, or out-of-time, out-of-memory, argument-too-large …; image-missing where there was no image of that name.",
          },
          message: { type: 'string' },
        },
      },
      suspended: {
        type: 'object',
        readOnly: true,
        description:
          'The condition went beyond its bounds for 20 CPEs: the rule is not considered until it is edited.',
        required: ['at', 'message'],
        properties: {
          at: { type: 'integer', description: 'In epoch seconds.' },
          message: { type: 'string' },
        },
      },
      stopped: {
        type: 'object',
        readOnly: true,
        description:
          'As many upgrades have failed as `limits.stopAfterFailures` allows: it upgrades no more CPEs until that is raised, or RestartRule is called.',
        required: ['message'],
        properties: { message: { type: 'string', description: 'How many have failed.' } },
      },
      warning: { ...ref('RuleWarning'), readOnly: true },
    },
  },
  RuleWarning: {
    type: 'object',
    description:
      'The condition is true for more CPEs than can be meant, and would be refused today: it was stored before that, or stands in a rule file. Or it has a `*` and was stored before that was a pattern: it is read by equality until the rule is posted again (`read-by-equality`). Or it names a field that no CPE has (`unknown-field`). Absent where nothing is wrong.',
    required: ['code', 'message'],
    properties: {
      code: { enum: ['constant-operand', 'always-true', 'read-by-equality', 'unknown-field'] },
      message: { type: 'string', description: 'What was found, where, and what to write instead.' },
    },
  },
  Result: {
    type: 'object',
    required: ['id', 'status', 'ts', 'cpeid', 'rule_description', 'campaignid', 'result'],
    properties: {
      id: { type: 'string', format: 'uuid' },
      status: { type: 'boolean', description: 'True once the upgrade ended.' },
      ts: { type: 'integer', description: 'Last change, in epoch seconds.' },
      cpeid: { type: 'string' },
      rule_description: { type: 'string' },
      campaignid: { type: 'string' },
      result: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: {
            enum: [200, 202, 408, 499, 500],
            description: '200 verified, 202 running, 408 timed out, 499 cancelled, 500 failed.',
          },
          message: { type: 'string' },
        },
      },
      matched_by: {
        enum: ['continued', 'altered', 'cut', 'empty', 'url'],
        description:
          "How the CPE's report of the transfer was known to be of this upgrade; absent: by its CommandKey, as it was sent. continued: the key with more behind it; altered: in another case, or in quotes; cut: a piece of it; empty: none, and it was the one under way; url: an AutonomousTransferComplete from the URL of its Download.",
      },
      reported_by: {
        type: 'string',
        description:
          'The cpeid under which its CPE came back from the upgrade, where that is another, as its OUI changes with the firmware.',
      },
      organization: {
        type: 'string',
        description:
          'The slug of the organization that its CPE belonged to when it began, where that is another than the default; for users of the installation. Of one that is gone its id.',
      },
    },
  },
  DeviceCount: {
    description: 'What deleting CPEs would come to.',
    allOf: [
      ref('Answer'),
      {
        properties: {
          code: { enum: [200] },
          details: {
            type: 'object',
            required: ['devices', 'upgrading'],
            properties: {
              devices: { type: 'integer', minimum: 1, description: 'CPEs that would be deleted.' },
              upgrading: {
                type: 'integer',
                minimum: 0,
                description:
                  'Those of them that have an upgrade under way: for these all would be refused (409).',
              },
            },
            additionalProperties: false,
          },
        },
      },
    ],
  },
  Device: {
    type: 'object',
    required: ['id', 'cpeid', 'serialNumber'],
    properties: {
      id: { type: 'string' },
      cpeid: { type: 'string', description: 'OUI-ProductClass-SerialNumber, escaped; the same as id.' },
      manufacturer: { type: 'string' },
      oui: { type: 'string' },
      productClass: { type: 'string' },
      serialNumber: { type: 'string' },
      modelName: { type: 'string' },
      softwareVersion: { type: 'string' },
      hardwareVersion: { type: 'string' },
      ip: { type: 'string', description: 'Where its last Inform came from.' },
      connectionRequestUrl: { type: 'string' },
      connectionRequestMoved: {
        type: 'integer',
        description:
          'When its URL moved to another address, in epoch seconds; Basic is not answered there until ferry device approve-url says that it is its own. Absent where it has not moved.',
      },
      provisioning: {
        enum: ['due', 'done', 'partly', 'refused', 'failed'],
        description:
          'Whether connection-request credentials and periodic Inform have been set; partly, refused: the CPE took some or none of it; failed: it was tried three times without an answer that can be read. Tried again after a boot.',
      },
      provisioningTries: { type: 'integer', description: 'How often that was tried, where it is not done.' },
      problems: {
        type: 'array',
        items: { type: 'string' },
        description: 'What of this CPE is not as it should be, in words.',
      },
      parametersCut: {
        type: 'object',
        description:
          'What of its data model is not kept, as it is too much: 2 MiB of names and values in all, 64 subtrees, 1,000 names in each. Absent where all is kept; a BOOTSTRAP begins anew.',
        required: ['subtrees', 'bytes'],
        properties: {
          subtrees: {
            type: 'array',
            items: { type: 'string' },
            description: 'Those of which all or some is missing, as Device.WiFi: the first sixteen by name.',
          },
          bytes: {
            type: 'integer',
            description: 'Names and values that were not kept when that happened last.',
          },
        },
      },
      identity: {
        type: 'object',
        description: 'Whether it is the one that it says it is.',
        required: ['proven'],
        properties: {
          proven: {
            type: 'boolean',
            description: 'Its last session began with credentials of its own.',
          },
          credentialsLost: {
            type: 'integer',
            description:
              'Since when, in epoch seconds, it comes without the credentials that it has had, as after a factory reset.',
          },
        },
      },
      enrolment: {
        const: 'waiting',
        description:
          'It waits to be enrolled: no rule looks at it, and its data model is not kept. Absent where it is enrolled.',
      },
      registered: { type: 'integer', description: 'First Inform, in epoch seconds.' },
      lastInform: { type: 'integer', description: 'In epoch seconds.' },
      lastEvents: { type: 'array', items: { type: 'string' } },
      tags: { type: 'array', items: { type: 'string' } },
      organization: {
        type: 'object',
        description:
          'To which it belongs; for users of the installation, where there is an organization beside the default.',
        required: ['id', 'slug', 'by'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string', description: 'What `organization=` names it by.' },
          by: {
            enum: ['hand', 'rule', 'default'],
            description: 'An operator said so; a rule of the organization holds; or no rule of any does.',
          },
          active: {
            type: 'boolean',
            enum: [false],
            description: 'It is deactivated, and the CPE was put there by hand.',
          },
        },
      },
      upgrade: { type: ['string', 'null'], description: 'The id of the result of the upgrade under way.' },
      supersededBy: {
        type: 'string',
        description:
          'The cpeid under which this device goes on, since it came back from an upgrade with another OUI.',
      },
      supersedes: {
        type: 'string',
        description:
          'The cpeid that this device had before; what rules have done to that one counts for this one too.',
      },
      autonomousTransfer: {
        type: 'object',
        description:
          'What it reported last of a transfer that nobody here asked for (AutonomousTransferComplete).',
        required: ['at', 'isDownload', 'fileType', 'targetFileName', 'faultCode', 'faultString'],
        properties: {
          at: { type: 'integer', description: 'In epoch seconds.' },
          isDownload: { type: 'boolean' },
          fileType: { type: 'string' },
          targetFileName: { type: 'string' },
          faultCode: { type: 'integer', description: '0: it went well.' },
          faultString: { type: 'string' },
        },
      },
      parameters: {
        type: 'object',
        description:
          'With parameters=true: the data model as last reported, by full name, as far as it is kept; "set" for secrets (passwords, keys), whose values are not kept.',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
    },
  },
} as const;
