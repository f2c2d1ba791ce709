// Made of the OpenAPI document by `npm run client`; what is written here by hand is lost.

/** The shapes that answers and bodies have in common. */
export interface Schemas {
  readonly Organization: {
    readonly "id": string;
    readonly "name": string;
    readonly "slug": string;
    readonly "active": boolean;
    readonly "isDefault": boolean;
    readonly "order": number;
    readonly "rules": readonly ({
      readonly "subnet": string;
    } | {
      readonly "username": string;
    } | {
      readonly "condition": string | Readonly<Record<string, string | number | boolean | null | readonly (string | number | boolean | null)[]>>;
    })[];
    readonly "created"?: number;
  };
  readonly Category: {
    readonly "id": string;
    readonly "name": string;
    readonly "description": string;
    readonly "productFamily"?: string | null;
    readonly "productFamilyNumber"?: number | null;
    readonly "productModel"?: string | null;
    readonly "productModelNumber"?: number | null;
    readonly "builds": number;
    readonly "created": number;
    readonly "modified": number;
    readonly "shared"?: boolean;
    readonly "organization"?: string;
  };
  readonly Build: {
    readonly "id": string;
    readonly "category": string;
    readonly "version": string;
    readonly "os": string | null;
    readonly "targetVersion": string;
    readonly "changelog": string;
    readonly "images": readonly ({
      readonly "type": string;
      readonly "name": string;
    })[];
    readonly "productFamily"?: string | null;
    readonly "productFamilyNumber"?: number | null;
    readonly "productModel"?: string | null;
    readonly "productModelNumber"?: number | null;
    readonly "created": number;
    readonly "modified": number;
    readonly "shared"?: boolean;
    readonly "organization"?: string;
  };
  readonly BuildCount: (Schemas["Answer"]) & ({
    readonly "code"?: 200;
    readonly "details"?: {
      readonly "builds"?: number;
      readonly "categories"?: number;
    };
  });
  readonly BulkReport: {
    readonly "line"?: number;
    readonly "item"?: number;
    readonly "code": 400 | 409;
    readonly "details": readonly (Schemas["Problem"])[];
  } | {
    readonly "lines"?: readonly (number)[];
    readonly "items"?: readonly (number)[];
    readonly "code": 204 | 400 | 409;
    readonly "written": number;
    readonly "unchanged": number;
    readonly "warnings"?: readonly ({
      readonly "id": string;
      readonly "code": "not-again" | "unknown-serial" | "ambiguous-serial" | "patterns";
      readonly "message": string;
    })[];
  } | {
    readonly "code": number;
    readonly "message": string;
    readonly "written": number;
    readonly "unchanged": number;
    readonly "refused": number;
    readonly "details"?: readonly (Schemas["Problem"])[];
  };
  readonly AuditEntry: {
    readonly "id": string;
    readonly "time": number;
    readonly "action": string;
    readonly "subject": "rule" | "image" | "image-category" | "image-build" | "upload" | "image-key" | "device" | "batch" | "result" | "cpe-credentials" | "freeze" | "user" | "token" | "session" | "log-in" | "organization" | "installation";
    readonly "subjectId": string;
    readonly "by"?: {
      readonly "name": string;
      readonly "how": "password" | "digest" | "token" | "session" | "command" | "rule-file";
      readonly "credential"?: string;
      readonly "organization"?: string;
      readonly "address"?: string;
      readonly "requestId"?: string;
    };
    readonly "organization"?: string;
    readonly "before"?: Readonly<Record<string, unknown>>;
    readonly "after"?: Readonly<Record<string, unknown>>;
  };
  readonly CpeLogin: {
    readonly "cpeid": string;
    readonly "username"?: string;
    readonly "password": string;
  };
  readonly CpeCredential: {
    readonly "id": string;
    readonly "username": string;
    readonly "cpeid": string;
    readonly "formerly"?: readonly (string)[];
    readonly "proven": boolean;
    readonly "since": number;
    readonly "firstUsed"?: number;
  };
  readonly User: {
    readonly "id": string;
    readonly "name": string;
    readonly "role": "viewer" | "operator" | "admin";
    readonly "active": boolean;
    readonly "scCloud": boolean;
    readonly "created": number;
  };
  readonly Token: {
    readonly "id": string;
    readonly "name": string;
    readonly "user": string;
    readonly "role": "viewer" | "operator" | "admin";
    readonly "subnets": readonly (string)[];
    readonly "created": number;
    readonly "expiresAt"?: number;
    readonly "lastUsed"?: number;
    readonly "lastUsedFrom"?: string;
    readonly "token"?: string;
  };
  readonly TokenMade: (Schemas["Answer"]) & ({
    readonly "code"?: 200;
    readonly "details"?: Schemas["Token"];
  });
  readonly Rule: {
    readonly "id": string;
    readonly "enabled"?: boolean;
    readonly "automatic"?: boolean;
    readonly "file": string;
    readonly "fileType"?: string;
    readonly "username"?: string;
    readonly "password"?: string;
    readonly "condition": string | Readonly<Record<string, string | number | boolean | null | readonly (string | number | boolean | null)[]>>;
    readonly "executions"?: number;
    readonly "priority"?: number;
    readonly "author"?: string;
    readonly "description"?: string;
    readonly "target"?: {
      readonly "softwareVersion": string;
    };
    readonly "force"?: boolean;
    readonly "window"?: {
      readonly "cron": string;
      readonly "durationMinutes": number;
      readonly "timezone"?: string;
      readonly "wakePerSecond"?: number;
    };
    readonly "limits"?: {
      readonly "concurrent"?: number;
      readonly "total"?: number;
      readonly "stopAfterFailures"?: number;
    };
    readonly "retry"?: {
      readonly "afterMinutes"?: number;
      readonly "factor"?: number;
      readonly "maxHours"?: number;
    };
    readonly "deadlines"?: {
      readonly "sentMinutes"?: number;
      readonly "acceptedMinutes"?: number;
      readonly "transferredMinutes"?: number;
    };
    readonly "onDoubt"?: "resend" | "fail";
    readonly "notBefore"?: string;
    readonly "notAfter"?: string;
    readonly "requireSignature"?: boolean;
    readonly "organization"?: string;
    readonly "owner"?: {
      readonly "kind": "batch";
      readonly "id": string;
    };
    readonly "lastError"?: {
      readonly "at": number;
      readonly "cpeid": string;
      readonly "code": string;
      readonly "message": string;
    };
    readonly "suspended"?: {
      readonly "at": number;
      readonly "message": string;
    };
    readonly "stopped"?: {
      readonly "message": string;
    };
    readonly "warning"?: Schemas["RuleWarning"];
  };
  readonly RuleWarning: {
    readonly "code": "constant-operand" | "always-true" | "read-by-equality" | "unknown-field";
    readonly "message": string;
  };
  readonly Result: {
    readonly "id": string;
    readonly "status": boolean;
    readonly "ts": number;
    readonly "cpeid": string;
    readonly "rule_description": string;
    readonly "campaignid": string;
    readonly "result": {
      readonly "code": 200 | 202 | 408 | 499 | 500;
      readonly "message": string;
    };
    readonly "matched_by"?: "continued" | "altered" | "cut" | "empty" | "url";
    readonly "reported_by"?: string;
    readonly "organization"?: string;
  };
  readonly DeviceCount: (Schemas["Answer"]) & ({
    readonly "code"?: 200;
    readonly "details"?: {
      readonly "devices": number;
      readonly "upgrading": number;
    };
  });
  readonly Device: {
    readonly "id": string;
    readonly "cpeid": string;
    readonly "manufacturer"?: string;
    readonly "oui"?: string;
    readonly "productClass"?: string;
    readonly "serialNumber": string;
    readonly "modelName"?: string;
    readonly "softwareVersion"?: string;
    readonly "hardwareVersion"?: string;
    readonly "ip"?: string;
    readonly "connectionRequestUrl"?: string;
    readonly "connectionRequestMoved"?: number;
    readonly "provisioning"?: "due" | "done" | "partly" | "refused" | "failed";
    readonly "provisioningTries"?: number;
    readonly "problems"?: readonly (string)[];
    readonly "parametersCut"?: {
      readonly "subtrees": readonly (string)[];
      readonly "bytes": number;
    };
    readonly "identity"?: {
      readonly "proven": boolean;
      readonly "credentialsLost"?: number;
    };
    readonly "enrolment"?: "waiting";
    readonly "registered"?: number;
    readonly "lastInform"?: number;
    readonly "lastEvents"?: readonly (string)[];
    readonly "tags"?: readonly (string)[];
    readonly "organization"?: {
      readonly "id": string;
      readonly "slug": string;
      readonly "by": "hand" | "rule" | "default";
      readonly "active"?: false;
    };
    readonly "upgrade"?: string | null;
    readonly "supersededBy"?: string;
    readonly "supersedes"?: string;
    readonly "autonomousTransfer"?: {
      readonly "at": number;
      readonly "isDownload": boolean;
      readonly "fileType": string;
      readonly "targetFileName": string;
      readonly "faultCode": number;
      readonly "faultString": string;
    };
    readonly "parameters"?: Readonly<Record<string, string | number | boolean>>;
  };
  readonly Image: {
    readonly "name": string;
    readonly "sizeBytes": number;
    readonly "sha256": string;
    readonly "fileType": string;
    readonly "softwareVersion"?: string;
    readonly "productClass"?: string;
    readonly "hardwareVersion"?: string;
    readonly "boards"?: readonly (string)[];
    readonly "fromFile"?: readonly ("softwareVersion" | "hardwareVersion" | "boards")[];
    readonly "formats"?: readonly (string)[];
    readonly "warnings"?: readonly (string)[];
    readonly "number"?: number;
    readonly "build"?: string;
    readonly "type"?: string;
    readonly "uploaded": number;
    readonly "uploadedBy"?: string;
    readonly "signature"?: {
      readonly "algorithm": "ed25519" | "minisign-legacy" | "minisign";
      readonly "keyId": string;
      readonly "keyName": string;
      readonly "trustedComment"?: string;
      readonly "verified": number;
    };
    readonly "shared"?: boolean;
    readonly "organization"?: string;
    readonly "sameContentAs"?: readonly (string)[];
  };
  readonly Upload: {
    readonly "id": string;
    readonly "name": string;
    readonly "state": "uploading" | "validating" | "valid" | "invalid" | "upload-error" | "cancelled";
    readonly "receivedBytes": number;
    readonly "sizeBytes"?: number;
    readonly "sha256"?: string;
    readonly "resumable": boolean;
    readonly "url"?: string;
    readonly "image"?: string;
    readonly "reason"?: {
      readonly "code": string;
      readonly "message": string;
    };
    readonly "uploadedBy": string;
    readonly "began": number;
    readonly "changed": number;
    readonly "ended"?: number;
    readonly "organization"?: string;
  };
  readonly Batch: {
    readonly "id": string;
    readonly "name": string;
    readonly "image"?: string;
    readonly "build"?: string;
    readonly "devices": "list" | "all" | "condition" | "build";
    readonly "condition"?: string | Readonly<Record<string, unknown>>;
    readonly "firmwareless"?: boolean;
    readonly "notBefore"?: string;
    readonly "notAfter"?: string;
    readonly "persistent": boolean;
    readonly "limits"?: Readonly<Record<string, unknown>>;
    readonly "priority": number;
    readonly "wakePerSecond": number;
    readonly "options": Readonly<Record<string, unknown>>;
    readonly "state": "preparing" | "scheduled" | "idle" | "in-progress" | "success" | "failed" | "cancelled";
    readonly "progress": {
      readonly "total": number;
      readonly "pending": number;
      readonly "running": number;
      readonly "verified": number;
      readonly "failed": number;
      readonly "timed-out": number;
      readonly "cancelled": number;
      readonly "skipped": number;
    };
    readonly "reasons"?: readonly ({
      readonly "reason": string;
      readonly "count": number;
      readonly "words": string;
      readonly "examples": readonly (string)[];
    })[];
    readonly "through"?: "batches" | "firmware-upgrader" | "system-update" | "firmware-slots" | "sc-cloud";
    readonly "note"?: string;
    readonly "by": string;
    readonly "created": number;
    readonly "modified": number;
    readonly "ends"?: number;
    readonly "organization"?: string;
  };
  readonly BatchOperation: {
    readonly "id": string;
    readonly "cpeid": string;
    readonly "image": string | null;
    readonly "state": "pending" | "running" | "verified" | "failed" | "timed-out" | "cancelled" | "skipped";
    readonly "reason"?: string;
    readonly "detail"?: string;
    readonly "result"?: string;
    readonly "attempts": number;
    readonly "log": readonly ({
      readonly "time": number;
      readonly "text": string;
    })[];
    readonly "cancelAsked"?: number;
    readonly "created": number;
    readonly "modified": number;
    readonly "organization"?: string;
  };
  readonly ImageKey: {
    readonly "name": string;
    readonly "algorithm": "minisign" | "ed25519";
    readonly "keyId": string;
    readonly "publicKey": string;
    readonly "added": number;
    readonly "addedBy"?: string;
    readonly "shared"?: boolean;
    readonly "organization"?: string;
  };
  readonly OwnSession: {
    readonly "name": string;
    readonly "role": "viewer" | "operator" | "admin";
    readonly "organization"?: {
      readonly "id": string;
      readonly "slug": string;
      readonly "name": string;
    };
    readonly "session": string;
    readonly "csrfToken": string;
    readonly "createdAt": number;
    readonly "expiresAt": number;
    readonly "idleSeconds": number;
  };
  readonly Session: {
    readonly "id": string;
    readonly "kind": "page" | "firmware-slots" | "system-update" | "sc-cloud";
    readonly "user": string;
    readonly "createdAt": number;
    readonly "lastUsedAt": number;
    readonly "expiresAt": number;
    readonly "address": string;
    readonly "userAgent": string;
    readonly "current": boolean;
    readonly "organization"?: string;
  };
  readonly Problem: {
    readonly "field": string;
    readonly "expected": string;
    readonly "found"?: string;
    readonly "code"?: string;
    readonly "item"?: number;
    readonly "line"?: number;
    readonly "column"?: number;
    readonly "ids"?: readonly (string)[];
  };
  readonly Answer: {
    readonly "code": number;
    readonly "message": string;
    readonly "details": unknown;
    readonly "warnings"?: readonly (Readonly<Record<string, unknown>>)[];
  };
  readonly UpgraderProblem: {
    readonly "detail"?: string;
  };
  readonly FirmwareSlotsError: {
    readonly "error": {
      readonly "details": Readonly<Record<string, unknown>>;
      readonly "message": string;
      readonly "type": string;
    };
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareSlotsLinks: {
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareSlotsList: {
    readonly "items": readonly ({
      readonly "key": string;
      readonly "meta": Readonly<Record<string, string | number | null>>;
    })[];
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareSlot: {
    readonly "body": {
      readonly "after_reboot"?: boolean;
      readonly "current"?: boolean;
      readonly "upgrade_news"?: null;
      readonly "upgrade_notes"?: string;
      readonly "version"?: string;
    };
    readonly "error"?: {
      readonly "details": Readonly<Record<string, unknown>>;
      readonly "message": string;
      readonly "type": string;
    };
    readonly "key": string;
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareSlotList: {
    readonly "items": readonly (Schemas["FirmwareSlot"])[];
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly UploadedFirmwareSlot: {
    readonly "body": {
      readonly "after_reboot"?: boolean;
      readonly "current"?: boolean;
      readonly "upgrade_news"?: null;
      readonly "upgrade_notes"?: string;
      readonly "version"?: string;
    };
    readonly "key": string;
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareSlotTest: {
    readonly "body": {
      readonly "test_summary": string;
    };
    readonly "key": string;
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareFetch: {
    readonly "body"?: {
      readonly "checksum": {
        readonly "sha256"?: string;
      } | null;
      readonly "error": string | null;
      readonly "slot_id": string | null;
      readonly "state": "queued" | "in-progress" | "finished" | "failed" | "cancelled";
      readonly "url": string;
    };
    readonly "key"?: string;
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly FirmwareFetchList: {
    readonly "items": readonly (Schemas["FirmwareFetch"])[];
    readonly "meta": Readonly<Record<string, string | number | null>>;
  };
  readonly SystemUpdateImage: {
    readonly "id": number;
    readonly "state": "UPLOADING" | "VALIDATING" | "UPLOAD_ERROR" | "VALID" | "INVALID";
    readonly "state_description": string;
    readonly "progress": number;
    readonly "checksum"?: string;
    readonly "version"?: string;
  };
  readonly SystemUpdate: {
    readonly "state": "IDLE" | "INITIALIZING" | "INITIALIZED" | "RUNNING" | "FAILED_GRACEFUL" | "FAILED_CRITICAL";
    readonly "state_description": string;
    readonly "last_state_time": number;
    readonly "target_version"?: string;
    readonly "update_history": readonly ({
      readonly "time": number;
      readonly "version"?: string;
    })[];
  };
  readonly SystemUpdateError: {
    readonly "error_id": string;
    readonly "error_text": string;
  };
  readonly MethodAnswer: {
    readonly "result": {
      readonly "code": number;
      readonly "message": string;
    };
    readonly "details"?: unknown;
  };
  readonly Health: {
    readonly "status": "ok" | "failing";
    readonly "parts": Readonly<Record<string, "ok" | "degraded" | "failing">>;
  };
  readonly Explanation: {
    readonly "cpeid": string;
    readonly "softwareVersion"?: string;
    readonly "kind": "upgrade" | "at-target" | "read" | "frozen" | "nothing";
    readonly "winner": string | null;
    readonly "reason": string;
    readonly "reads"?: readonly (string)[];
    readonly "upgrade": string | null;
    readonly "rules": readonly ({
      readonly "id": string;
      readonly "organization"?: string;
      readonly "of"?: "installation";
      readonly "verdict": "chosen" | "disabled" | "suspended" | "not-automatic" | "other-organization" | "condition-false" | "condition-error" | "ambiguous-serial" | "executions-used-up" | "already-verified" | "at-target" | "waiting-for-retry" | "not-yet" | "too-late" | "window-closed" | "held-by-owner" | "limit-reached" | "image-missing" | "image-does-not-fit" | "image-not-signed" | "lower-priority";
      readonly "detail"?: string;
      readonly "priority": number;
      readonly "warning"?: Schemas["RuleWarning"];
      readonly "conjuncts"?: readonly ({
        readonly "text": string;
        readonly "column"?: number;
        readonly "outcome": "true" | "false" | "error" | "not-evaluated";
        readonly "found": readonly ({
          readonly "path": string;
          readonly "value"?: unknown;
        })[];
        readonly "message"?: string;
      })[];
    })[];
    readonly "omitted": number;
  };
  readonly MatchedCpe: {
    readonly "cpeid": string;
    readonly "softwareVersion"?: string;
    readonly "verdict": "chosen" | "disabled" | "suspended" | "not-automatic" | "other-organization" | "condition-false" | "condition-error" | "ambiguous-serial" | "executions-used-up" | "already-verified" | "at-target" | "waiting-for-retry" | "not-yet" | "too-late" | "window-closed" | "held-by-owner" | "limit-reached" | "image-missing" | "image-does-not-fit" | "image-not-signed" | "lower-priority" | "condition-true" | "parameters-unread" | "frozen" | "upgrade-under-way" | "waits-to-be-enrolled";
    readonly "detail"?: string;
  };
  readonly CollectedImages: {
    readonly "dryRun": boolean;
    readonly "removedCount": number;
    readonly "keptCount": number;
    readonly "removed": readonly ({
      readonly "name": string;
      readonly "sizeBytes": number;
      readonly "sha256": string;
    })[];
    readonly "removedBuilds": readonly ({
      readonly "id": string;
      readonly "category": string;
      readonly "version": string;
    })[];
    readonly "kept": readonly ({
      readonly "name": string;
      readonly "because": "young" | "newest" | "newest-build" | "build-stays" | "named-by-rule" | "upgrade-running" | "used-lately" | "not-looked-at" | "changed-meanwhile";
      readonly "rules"?: readonly (string)[];
    })[];
  };
  readonly MatchReport: {
    readonly "id": string | null;
    readonly "as_though_enabled"?: boolean;
    readonly "limits"?: Readonly<Record<string, unknown>>;
    readonly "known": number;
    readonly "looked_at": number;
    readonly "matching": number;
    readonly "would_upgrade_now"?: number;
    readonly "verdicts": Readonly<Record<string, number>>;
    readonly "cpes": readonly (Schemas["MatchedCpe"])[];
    readonly "errors": readonly (Schemas["MatchedCpe"])[];
    readonly "next": string | null;
  };
}

/** What each call takes and gives, by its name. */
export interface Operations {
  /** Lists upgrade rules, newest first */
  readonly listRules: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "cpeid" | "-cpeid" | "id" | "-id" | "enabled" | "-enabled" | "automatic" | "-automatic" | "file" | "-file" | "fileType" | "-fileType" | "username" | "-username" | "condition" | "-condition" | "executions" | "-executions" | "priority" | "-priority" | "author" | "-author" | "description" | "-description" | "force" | "-force" | "onDoubt" | "-onDoubt" | "requireSignature" | "-requireSignature" | "notBefore" | "-notBefore" | "notAfter" | "-notAfter"; "field"?: Readonly<Record<string, unknown>>; "id"?: string; "campaignid"?: string; "cpeid"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Rule"])[];
    }) | string;
  };
  /** Creates or replaces upgrade rules, all or none, or any number of them batch by batch */
  readonly putRules: {
    readonly path: { "pattern": string };
    readonly query?: { "organization"?: string };
    readonly headers?: { "If-None-Match"?: "*" };
    readonly body: Schemas["Rule"] | readonly (Schemas["Rule"])[];
    readonly answer: Schemas["Answer"] | string;
  };
  /** Merges fields into every rule that matches */
  readonly changeRules: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "id"?: string; "campaignid"?: string; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every rule that matches */
  readonly deleteRules: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "id"?: string; "campaignid"?: string; "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countRules: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "id"?: string; "campaignid"?: string; "cpeid"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every rule that matches an object of fields */
  readonly deleteRulesByFields: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every rule that matches a list of ids */
  readonly deleteRulesById: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the results of upgrades, running and ended, the one begun last first */
  readonly listResults: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "status" | "-status" | "ts" | "-ts" | "cpeid" | "-cpeid" | "rule_description" | "-rule_description" | "campaignid" | "-campaignid" | "matched_by" | "-matched_by" | "reported_by" | "-reported_by"; "field"?: Readonly<Record<string, unknown>>; "id"?: string; "revision"?: "current" | "all"; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Result"])[];
    }) | string;
  };
  /** Deletes every result that matches */
  readonly deleteResults: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "revision"?: "current" | "all"; "id"?: string; "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countResults: {
    readonly query?: { "revision"?: "current" | "all"; "field"?: Readonly<Record<string, unknown>>; "id"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every result that matches an object of fields */
  readonly deleteResultsByFields: {
    readonly query?: { "all"?: boolean; "revision"?: "current" | "all"; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every result that matches a list of ids */
  readonly deleteResultsById: {
    readonly query?: { "all"?: boolean; "revision"?: "current" | "all"; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the CPEs that are known, by id */
  readonly listDevices: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "cpeid" | "-cpeid" | "manufacturer" | "-manufacturer" | "oui" | "-oui" | "productClass" | "-productClass" | "serialNumber" | "-serialNumber" | "modelName" | "-modelName" | "softwareVersion" | "-softwareVersion" | "hardwareVersion" | "-hardwareVersion" | "ip" | "-ip" | "enrolment" | "-enrolment" | "connectionRequestUrl" | "-connectionRequestUrl" | "connectionRequestMoved" | "-connectionRequestMoved" | "provisioning" | "-provisioning" | "provisioningTries" | "-provisioningTries" | "problems" | "-problems" | "registered" | "-registered" | "lastInform" | "-lastInform" | "lastEvents" | "-lastEvents" | "tags" | "-tags" | "organization" | "-organization" | "upgrade" | "-upgrade" | "supersededBy" | "-supersededBy" | "supersedes" | "-supersedes"; "field"?: Readonly<Record<string, unknown>>; "parameters"?: boolean; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Device"])[];
    }) | string;
  };
  /** Puts every CPE that matches into an organization */
  readonly changeDevices: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>> };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every CPE that matches, with its data model */
  readonly deleteDevices: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"] | Schemas["DeviceCount"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countDevices: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every CPE that matches, with its data model an object of fields */
  readonly deleteDevicesByFields: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"] | Schemas["DeviceCount"];
  };
  /** Deletes every CPE that matches, with its data model a list of ids */
  readonly deleteDevicesById: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"] | Schemas["DeviceCount"];
  };
  /** Lists the CPEs that are known, by id */
  readonly listCpeDbService: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "cpeid" | "-cpeid" | "manufacturer" | "-manufacturer" | "oui" | "-oui" | "productClass" | "-productClass" | "serialNumber" | "-serialNumber" | "modelName" | "-modelName" | "softwareVersion" | "-softwareVersion" | "hardwareVersion" | "-hardwareVersion" | "ip" | "-ip" | "enrolment" | "-enrolment" | "connectionRequestUrl" | "-connectionRequestUrl" | "connectionRequestMoved" | "-connectionRequestMoved" | "provisioning" | "-provisioning" | "provisioningTries" | "-provisioningTries" | "problems" | "-problems" | "registered" | "-registered" | "lastInform" | "-lastInform" | "lastEvents" | "-lastEvents" | "tags" | "-tags" | "organization" | "-organization" | "upgrade" | "-upgrade" | "supersededBy" | "-supersededBy" | "supersedes" | "-supersedes"; "field"?: Readonly<Record<string, unknown>>; "parameters"?: boolean; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Device"])[];
    }) | string;
  };
  /** Puts every CPE that matches into an organization */
  readonly changeCpeDbService: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>> };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every CPE that matches, with its data model */
  readonly deleteCpeDbService: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"] | Schemas["DeviceCount"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countCpeDbService: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every CPE that matches, with its data model an object of fields */
  readonly deleteCpeDbServiceByFields: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"] | Schemas["DeviceCount"];
  };
  /** Deletes every CPE that matches, with its data model a list of ids */
  readonly deleteCpeDbServiceById: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"] | Schemas["DeviceCount"];
  };
  /** Lists what single CPEs log in as, by user name, never with a password */
  readonly listCpeCredentials: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "username" | "-username" | "cpeid" | "-cpeid" | "formerly" | "-formerly" | "proven" | "-proven" | "since" | "-since" | "firstUsed" | "-firstUsed"; "field"?: Readonly<Record<string, unknown>> };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["CpeCredential"])[];
    }) | string;
  };
  /** Gives CPEs credentials, all or none, or any number of them batch by batch */
  readonly putCpeCredentials: {
    readonly path: { "pattern": string };
    readonly body: Schemas["CpeLogin"] | readonly (Schemas["CpeLogin"])[];
    readonly answer: Schemas["Answer"] | string;
  };
  /** Takes away whatever credentials match */
  readonly deleteCpeCredentials: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>> };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countCpeCredentials: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>> };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Takes away whatever credentials match an object of fields */
  readonly deleteCpeCredentialsByFields: {
    readonly query?: { "all"?: boolean };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Takes away whatever credentials match a list of ids */
  readonly deleteCpeCredentialsById: {
    readonly query?: { "all"?: boolean };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the users, by name, never with a password */
  readonly listUserStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "name" | "-name" | "role" | "-role" | "active" | "-active" | "scCloud" | "-scCloud" | "created" | "-created"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["User"])[];
    }) | string;
  };
  /** Adds a user, or changes the one of that name */
  readonly putUserStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "name": string;
      readonly "role"?: "viewer" | "operator" | "admin";
      readonly "active"?: boolean;
      readonly "password"?: string;
      readonly "scCloud"?: boolean;
      readonly "organization"?: string;
      readonly [name: string]: unknown;
    };
    readonly answer: Schemas["Answer"];
  };
  /** Changes role, activity, password or log-in to /sc_cloud of every user that matches */
  readonly changeUserStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly body: {
      readonly "role"?: "viewer" | "operator" | "admin";
      readonly "active"?: boolean;
      readonly "password"?: string;
      readonly "scCloud"?: boolean;
    };
    readonly answer: Schemas["Answer"];
  };
  /** Removes every user that matches, with his tokens */
  readonly deleteUserStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countUserStorage: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Removes every user that matches, with his tokens an object of fields */
  readonly deleteUserStorageByFields: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Removes every user that matches, with his tokens a list of ids */
  readonly deleteUserStorageById: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the users, by name, never with a password */
  readonly listAuthStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "name" | "-name" | "role" | "-role" | "active" | "-active" | "scCloud" | "-scCloud" | "created" | "-created"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["User"])[];
    }) | string;
  };
  /** Adds a user, or changes the one of that name */
  readonly putAuthStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "name": string;
      readonly "role"?: "viewer" | "operator" | "admin";
      readonly "active"?: boolean;
      readonly "password"?: string;
      readonly "scCloud"?: boolean;
      readonly "organization"?: string;
      readonly [name: string]: unknown;
    };
    readonly answer: Schemas["Answer"];
  };
  /** Changes role, activity, password or log-in to /sc_cloud of every user that matches */
  readonly changeAuthStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly body: {
      readonly "role"?: "viewer" | "operator" | "admin";
      readonly "active"?: boolean;
      readonly "password"?: string;
      readonly "scCloud"?: boolean;
    };
    readonly answer: Schemas["Answer"];
  };
  /** Removes every user that matches, with his tokens */
  readonly deleteAuthStorage: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countAuthStorage: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Removes every user that matches, with his tokens an object of fields */
  readonly deleteAuthStorageByFields: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Removes every user that matches, with his tokens a list of ids */
  readonly deleteAuthStorageById: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the tokens of all users, by id, never with their secret part */
  readonly listTokens: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "name" | "-name" | "user" | "-user" | "role" | "-role" | "subnets" | "-subnets" | "created" | "-created" | "expiresAt" | "-expiresAt" | "lastUsed" | "-lastUsed" | "lastUsedFrom" | "-lastUsedFrom"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Token"])[];
    }) | string;
  };
  /** Makes a token, and shows it this once */
  readonly createToken: {
    readonly path: { "pattern": string };
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "name": string;
      readonly "user"?: string;
      readonly "role"?: "viewer" | "operator" | "admin";
      readonly "expiresAt"?: number;
      readonly "subnets"?: readonly (string)[];
      readonly [name: string]: unknown;
    };
    readonly answer: Schemas["TokenMade"];
  };
  /** Revokes whatever tokens match: nobody gets in by them any more */
  readonly revokeTokens: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countTokens: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Revokes whatever tokens match: nobody gets in by them any more an object of fields */
  readonly revokeTokensByFields: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Revokes whatever tokens match: nobody gets in by them any more a list of ids */
  readonly revokeTokensById: {
    readonly query?: { "all"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the organizations, in the order in which their rules are looked at */
  readonly listOrganizations: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "name" | "-name" | "slug" | "-slug" | "active" | "-active" | "isDefault" | "-isDefault" | "order" | "-order" | "rules" | "-rules" | "created" | "-created"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Organization"])[];
    }) | string;
  };
  /** Adds an organization, and answers with it */
  readonly addOrganization: {
    readonly path: { "pattern": string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Organization"])[];
    }) | string;
  };
  /** Merges fields into every organization that matches */
  readonly changeOrganizations: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every organization that matches */
  readonly deleteOrganizations: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>> };
    readonly answer: Schemas["Answer"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countOrganizations: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every organization that matches an object of fields */
  readonly deleteOrganizationsByFields: {
    readonly query?: { "all"?: boolean };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every organization that matches a list of ids */
  readonly deleteOrganizationsById: {
    readonly query?: { "all"?: boolean };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"];
  };
  /** Lists the categories: the shared ones first, each owner’s by name */
  readonly listCategories: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "name" | "-name" | "description" | "-description" | "productFamily" | "-productFamily" | "productFamilyNumber" | "-productFamilyNumber" | "productModel" | "-productModel" | "productModelNumber" | "-productModelNumber" | "builds" | "-builds" | "organization" | "-organization" | "shared" | "-shared" | "created" | "-created" | "modified" | "-modified"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Category"])[];
    }) | string;
  };
  /** Adds a category, and answers with it */
  readonly addCategory: {
    readonly path: { "pattern": string };
    readonly query?: { "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Category"])[];
    }) | string;
  };
  /** Merges fields into every category that matches */
  readonly changeCategories: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every category that matches */
  readonly deleteCategories: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "cascade"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"] | Schemas["BuildCount"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countCategories: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every category that matches an object of fields */
  readonly deleteCategoriesByFields: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "cascade"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"] | Schemas["BuildCount"];
  };
  /** Deletes every category that matches a list of ids */
  readonly deleteCategoriesById: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "cascade"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"] | Schemas["BuildCount"];
  };
  /** Lists the builds: the shared ones first, each owner’s from the oldest */
  readonly listBuilds: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "category" | "-category" | "version" | "-version" | "os" | "-os" | "targetVersion" | "-targetVersion" | "changelog" | "-changelog" | "images" | "-images" | "productFamily" | "-productFamily" | "productFamilyNumber" | "-productFamilyNumber" | "productModel" | "-productModel" | "productModelNumber" | "-productModelNumber" | "organization" | "-organization" | "shared" | "-shared" | "created" | "-created" | "modified" | "-modified"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Build"])[];
    }) | string;
  };
  /** Adds a build, and answers with it */
  readonly addBuild: {
    readonly path: { "pattern": string };
    readonly query?: { "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Build"])[];
    }) | string;
  };
  /** Merges fields into every build that matches */
  readonly changeBuilds: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"];
  };
  /** Deletes every build that matches */
  readonly deleteBuilds: {
    readonly path: { "pattern": string };
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "cascade"?: boolean; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: Schemas["Answer"] | Schemas["BuildCount"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countBuilds: {
    readonly query?: { "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Deletes every build that matches an object of fields */
  readonly deleteBuildsByFields: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "cascade"?: boolean; "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: Schemas["Answer"] | Schemas["BuildCount"];
  };
  /** Deletes every build that matches a list of ids */
  readonly deleteBuildsById: {
    readonly query?: { "all"?: boolean; "dryRun"?: boolean; "cascade"?: boolean; "organization"?: string };
    readonly body: readonly (string)[];
    readonly answer: Schemas["Answer"] | Schemas["BuildCount"];
  };
  /** Counts what a list would have that is asked for by the same fields */
  readonly countAudit: {
    readonly query?: { "since"?: number | string; "until"?: number | string; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: number;
    });
  };
  /** Lists who has changed what, the latest first */
  readonly listAudit: {
    readonly path: { "pattern": string };
    readonly query?: { "limit"?: number; "offset"?: number; "after"?: string; "sort"?: "id" | "-id" | "time" | "-time" | "action" | "-action" | "subject" | "-subject" | "subjectId" | "-subjectId" | "organization" | "-organization"; "since"?: number | string; "until"?: number | string; "format"?: "json" | "ndjson" | "csv"; "field"?: Readonly<Record<string, unknown>>; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["AuditEntry"])[];
    }) | string;
  };
  /** Asks CPEs to start a session */
  readonly sendConnectionRequest: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "search_options": Readonly<Record<string, unknown>>;
    };
    readonly answer: Schemas["MethodAnswer"];
  };
  /** Forgets what was counted against rules, so that they upgrade their CPEs again */
  readonly restartRule: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "id"?: string | readonly (string)[];
      readonly "search_options"?: Readonly<Record<string, unknown>>;
    };
    readonly answer: Schemas["MethodAnswer"];
  };
  /** Enrols CPEs that wait (enrolment in DeviceStorage) */
  readonly approveDevices: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "cpe_id": string | readonly (string)[];
    };
    readonly answer: (Schemas["MethodAnswer"]) & ({
      readonly "details"?: {
        readonly "approved": number;
        readonly "named": number;
        readonly "enrolled": number;
      };
    });
  };
  /** Tells whether upgrades are frozen */
  readonly freezeState: {
    readonly query?: { "organization"?: string };
    readonly answer: Schemas["MethodAnswer"];
  };
  /** The emergency brake: while upgrades are frozen no Download is sent */
  readonly freezeUpgrades: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "frozen": boolean;
      readonly "reason"?: string;
    };
    readonly answer: Schemas["MethodAnswer"];
  };
  /** Tells what would be decided for a CPE now, and what became of each rule */
  readonly explainRules: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "cpe_id"?: string;
      readonly "cpe"?: {
        readonly "cpeid"?: string;
        readonly "oui"?: string;
        readonly "productClass"?: string;
        readonly "serialNumber"?: string;
        readonly "manufacturer"?: string;
        readonly "modelName"?: string;
        readonly "softwareVersion"?: string;
        readonly "hardwareVersion"?: string;
        readonly "events"?: readonly (string)[];
        readonly "tags"?: readonly (string)[];
        readonly "organization"?: string;
        readonly "ip"?: string;
        readonly "identity"?: {
          readonly "proven": boolean;
        };
        readonly "lastInform"?: string;
        readonly "registered"?: string;
        readonly "parameters"?: Readonly<Record<string, string | number | boolean | Readonly<Record<string, unknown>>>>;
      };
      readonly "rules"?: readonly (string)[];
      readonly "rule"?: Schemas["Rule"];
      readonly "requested"?: boolean;
      readonly "now"?: string;
      readonly "limit"?: number;
    };
    readonly answer: (Schemas["MethodAnswer"]) & ({
      readonly "details"?: Schemas["Explanation"];
    });
  };
  /** Counts and lists the known CPEs that a rule would upgrade now, as though it were enabled */
  readonly matchDevices: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "rule_id"?: string;
      readonly "rule"?: Schemas["Rule"];
      readonly "condition"?: string | Readonly<Record<string, unknown>>;
      readonly "limit"?: number;
      readonly "after"?: string;
      readonly "timeout"?: number;
      readonly "requested"?: boolean;
      readonly "now"?: string;
    };
    readonly answer: (Schemas["MethodAnswer"]) & ({
      readonly "details"?: Schemas["MatchReport"];
    });
  };
  /** Has a CPE that has lost its credentials, as by a factory reset, be given new ones when it comes */
  readonly readmitDevice: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "cpe_id": string;
    };
    readonly answer: Schemas["MethodAnswer"];
  };
  /** Gives whoever asks another password */
  readonly changePassword: {
    readonly body: {
      readonly "oldPassword": string;
      readonly "newPassword": string;
    };
    readonly answer: Schemas["MethodAnswer"];
  };
  /** Deletes the images that nobody needs, or tells which these are */
  readonly collectImages: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "unusedForDays"?: number;
      readonly "keepNewest"?: number;
      readonly "keepBuilds"?: number;
      readonly "dryRun"?: boolean;
    };
    readonly answer: (Schemas["MethodAnswer"]) & ({
      readonly "details"?: Schemas["CollectedImages"];
    });
  };
  /** Lists the firmware library, by name */
  readonly listImages: {
    readonly query?: { "limit"?: number; "after"?: string; "build"?: string; "type"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Image"])[];
    });
  };
  /** Uploads an image by a form, as pages and curl -F send it: its fields, and behind them the file */
  readonly uploadImageByForm: {
    readonly query?: { "organization"?: string };
    readonly headers?: { "X-Image-Signature"?: string };
    readonly body: never;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    });
  };
  /** Tells what is known of an image */
  readonly getImage: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    });
  };
  /** Uploads an image: the body is the file itself */
  readonly uploadImage: {
    readonly path: { "name": string };
    readonly query?: { "softwareVersion"?: string; "productClass"?: string; "hardwareVersion"?: string; "boards"?: string; "fileType"?: string; "sha256"?: string; "build"?: string; "type"?: string; "organization"?: string };
    readonly headers?: { "X-Image-Signature"?: string };
    readonly body: never;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    });
  };
  /** Puts an image into a build, into another place, or into none */
  readonly placeImage: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly body: Readonly<Record<string, unknown>>;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    });
  };
  /** Deletes an image */
  readonly deleteImage: {
    readonly path: { "name": string };
    readonly query?: { "force"?: boolean; "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Adds a signature to an image: the body is the file of the signature itself */
  readonly signImage: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly body: never;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    });
  };
  /** Takes the signature from an image */
  readonly unsignImage: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    });
  };
  /** Downloads an image, or a range of it */
  readonly downloadImage: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly answer: Uint8Array | undefined;
  };
  /** Lists the public keys by which images are verified, by name */
  readonly listImageKeys: {
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["ImageKey"])[];
    });
  };
  /** Adds a public key by which images are verified */
  readonly addImageKey: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "publicKey": string;
    };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["ImageKey"];
    });
  };
  /** Removes a public key: what was signed by it counts as unsigned from now on */
  readonly removeImageKey: {
    readonly path: { "name": string };
    readonly query?: { "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Lists uploads of images, the latest first */
  readonly listUploads: {
    readonly query?: { "limit"?: number; "after"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Upload"])[];
    });
  };
  /** Begins an upload of an image in parts, which goes on after a broken connection; or has it fetched */
  readonly beginUpload: {
    readonly query?: { "organization"?: string };
    readonly headers?: { "X-Image-Signature"?: string };
    readonly body: {
      readonly "name": string;
      readonly "url"?: string;
      readonly "sizeBytes"?: number;
      readonly "sha256"?: string;
      readonly "fileType"?: string;
      readonly "softwareVersion"?: string;
      readonly "productClass"?: string;
      readonly "hardwareVersion"?: string;
      readonly "boards"?: readonly (string)[];
      readonly "build"?: string;
      readonly "type"?: string;
    };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Upload"];
    });
  };
  /** Tells how far an upload has come */
  readonly getUpload: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Upload"];
    });
  };
  /** Uploads the next part of an image; the last has it validated */
  readonly uploadPart: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly headers: { "Content-Range": string };
    readonly body: never;
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Image"];
    }) | (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Upload"];
    });
  };
  /** Cancels an upload, also one that comes in one request: its bytes are removed */
  readonly cancelUpload: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Upload"];
    });
  };
  /** Lists the batches, newest first */
  readonly listBatches: {
    readonly query?: { "limit"?: number; "after"?: string; "state"?: "preparing" | "scheduled" | "idle" | "in-progress" | "success" | "failed" | "cancelled"; "build"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Batch"])[];
    });
  };
  /** Makes a batch: an image, or a build, for many CPEs */
  readonly makeBatch: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "name": string;
      readonly "image"?: string;
      readonly "build"?: string;
      readonly "all"?: true;
      readonly "condition"?: string | Readonly<Record<string, unknown>>;
      readonly "devices"?: "build";
      readonly "firmwareless"?: boolean;
      readonly "notBefore"?: string;
      readonly "notAfter"?: string;
      readonly "persistent"?: boolean;
      readonly "limits"?: {
        readonly "concurrent"?: number;
        readonly "total"?: number;
        readonly "stopAfterFailures"?: number;
      };
      readonly "priority"?: number;
      readonly "wakePerSecond"?: number;
      readonly "options"?: Readonly<Record<string, boolean>>;
      readonly "note"?: string;
      readonly "cpeids"?: readonly (string)[];
    };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Batch"];
    });
  };
  /** Tells how far a batch has come, and why CPEs of it were not upgraded */
  readonly getBatch: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Batch"];
    });
  };
  /** Cancels a batch, and deletes it with its rules and operations; the results of upgrades stay */
  readonly deleteBatch: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Cancels a batch: nothing more of it is sent once this has answered */
  readonly cancelBatch: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["Batch"];
    });
  };
  /** Starts again what has failed, timed out or was cancelled */
  readonly retryBatch: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "reason"?: string;
      readonly "cpeid"?: string;
    };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: {
        readonly "retried"?: number;
      };
    });
  };
  /** Lists what became of the CPEs of a batch, one operation each */
  readonly listBatchOperations: {
    readonly path: { "id": string };
    readonly query?: { "limit"?: number; "after"?: string; "state"?: "pending" | "running" | "verified" | "failed" | "timed-out" | "cancelled" | "skipped"; "reason"?: string; "cpeid"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["BatchOperation"])[];
    });
  };
  /** Cancels a batch for one CPE */
  readonly cancelBatchOperation: {
    readonly path: { "id": string; "cpeid": string };
    readonly query?: { "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["BatchOperation"];
    });
  };
  /** Lists the categories of builds */
  readonly listUpgraderCategories: {
    readonly query?: { "organization"?: string; "page"?: string; "page_size"?: string; "ordering"?: string };
    readonly answer: {
      readonly "count": number;
      readonly "next": string | null;
      readonly "previous": string | null;
      readonly "results": readonly ({
        readonly "id"?: string;
        readonly "created"?: string;
        readonly "modified"?: string;
        readonly "name"?: string;
        readonly "description"?: string;
        readonly "organization"?: string | null;
      })[];
    };
  };
  /** Adds a category */
  readonly addUpgraderCategory: {
    readonly body: {
      readonly "name": string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "name"?: string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
  };
  /** Tells what is known of a category */
  readonly getUpgraderCategory: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "name"?: string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
  };
  /** Changes a category; its name must be said */
  readonly replaceUpgraderCategory: {
    readonly path: { "id": string };
    readonly body: {
      readonly "name": string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "name"?: string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
  };
  /** Changes what is said of a category */
  readonly changeUpgraderCategory: {
    readonly path: { "id": string };
    readonly body: {
      readonly "name"?: string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "name"?: string;
      readonly "description"?: string;
      readonly "organization"?: string | null;
    };
  };
  /** Deletes a category with its builds, their images, and what upgrades made of them */
  readonly deleteUpgraderCategory: {
    readonly path: { "id": string };
    readonly answer: undefined;
  };
  /** Lists the builds of firmware */
  readonly listUpgraderBuilds: {
    readonly query?: { "category"?: string; "version"?: string; "os"?: string; "organization"?: string; "page"?: string; "page_size"?: string; "ordering"?: string };
    readonly answer: {
      readonly "count": number;
      readonly "next": string | null;
      readonly "previous": string | null;
      readonly "results": readonly ({
        readonly "id"?: string;
        readonly "category_relation"?: {
          readonly "name"?: string;
          readonly "organization"?: string | null;
        };
        readonly "created"?: string;
        readonly "modified"?: string;
        readonly "version"?: string;
        readonly "os"?: string | null;
        readonly "changelog"?: string;
        readonly "category"?: string;
      })[];
    };
  };
  /** Adds a build */
  readonly addUpgraderBuild: {
    readonly body: {
      readonly "version": string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category": string;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "category_relation"?: {
        readonly "name"?: string;
        readonly "organization"?: string | null;
      };
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "version"?: string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category"?: string;
    };
  };
  /** Tells what is known of a build */
  readonly getUpgraderBuild: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "category_relation"?: {
        readonly "name"?: string;
        readonly "organization"?: string | null;
      };
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "version"?: string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category"?: string;
    };
  };
  /** Changes a build; its category and version must be said */
  readonly replaceUpgraderBuild: {
    readonly path: { "id": string };
    readonly body: {
      readonly "version": string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category": string;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "category_relation"?: {
        readonly "name"?: string;
        readonly "organization"?: string | null;
      };
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "version"?: string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category"?: string;
    };
  };
  /** Changes what is said of a build */
  readonly changeUpgraderBuild: {
    readonly path: { "id": string };
    readonly body: {
      readonly "version"?: string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category"?: string;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "category_relation"?: {
        readonly "name"?: string;
        readonly "organization"?: string | null;
      };
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "version"?: string;
      readonly "os"?: string | null;
      readonly "changelog"?: string;
      readonly "category"?: string;
    };
  };
  /** Deletes a build with its images, and what upgrades made of them */
  readonly deleteUpgraderBuild: {
    readonly path: { "id": string };
    readonly answer: undefined;
  };
  /** Lists the images of a build */
  readonly listUpgraderImages: {
    readonly path: { "build": string };
    readonly query?: { "type"?: "ar71xx-generic-cf-e320n-v2-squashfs-sysupgrade.bin" | "ath79-generic-comfast_cf-e375ac-squashfs-sysupgrade.bin" | "dongwon_dw02-412h-128m-squashfs-sysupgrade.bin" | "ipq807x-generic-edgecore_eap102-squashfs-sysupgrade.bin" | "ipq40xx-generic-engenius_eap1300-squashfs-sysupgrade.bin" | "realtek-rtl838x-engenius_ews2910p-squashfs-sysupgrade.bin" | "mpc85xx-p1020-extreme-networks_ws-ap3825i-squashfs-sysupgrade.bin" | "ath79-nand-glinet_gl-ar300m-nand-squashfs-sysupgrade.bin" | "ramips-mt76x8-gl-mt300n-v2-squashfs-sysupgrade.bin" | "ipq40xx-chromium-google_wifi-squashfs-sysupgrade.bin" | "mvebu-cortexa9-linksys_wrt1900acs-squashfs-sysupgrade.img" | "mvebu-cortexa9-linksys_wrt3200acm-squashfs-sysupgrade.img" | "ipq40xx-mikrotik-mikrotik_wap-ac-squashfs-sysupgrade.bin" | "ramips-mt7621-mikrotik_routerboard-m33g-squashfs-sysupgrade.bin" | "mediatek-filogic-netgear_wax220-squashfs-sysupgrade.bin" | "ath79-generic-netgear_wndap360-squashfs-sysupgrade.bin" | "brcm2708-bcm2709-rpi-2-ext4-sysupgrade.img.gz" | "brcm2708-bcm2710-rpi-3-ext4-sysupgrade.img.gz" | "ramips-mt7621-tplink_archer-ax23-v1-squashfs-sysupgrade.bin" | "ar71xx-generic-archer-c7-v1-squashfs-sysupgrade.bin" | "ath79-generic-tplink_archer-c7-v1-squashfs-sysupgrade.bin" | "ar71xx-generic-archer-c7-v2-squashfs-sysupgrade.bin" | "ath79-generic-tplink_archer-c7-v2-squashfs-sysupgrade.bin" | "ar71xx-generic-archer-c7-v4-squashfs-sysupgrade.bin" | "ath79-generic-tplink_archer-c7-v4-squashfs-sysupgrade.bin" | "ar71xx-generic-archer-c7-v5-squashfs-sysupgrade.bin" | "ath79-generic-tplink_archer-c7-v5-squashfs-sysupgrade.bin" | "ramips-mt76x8-tplink_archer-c50-v4-squashfs-sysupgrade.bin" | "ar71xx-generic-cpe210-220-v1-squashfs-sysupgrade.bin" | "ath79-generic-tplink_cpe210-v2-squashfs-sysupgrade.bin" | "ath79-generic-tplink_cpe210-v3-squashfs-sysupgrade.bin" | "ath79-generic-tplink_cpe510-v3-squashfs-sysupgrade.bin" | "ath79-generic-tplink_eap225-outdoor-v3-squashfs-sysupgrade.bin" | "ath79-generic-tplink_tl-mr6400-v1-squashfs-sysupgrade.bin" | "ramips-mt76x8-tplink_tl-mr6400-v4-squashfs-sysupgrade.bin" | "ramips-mt76x8-tplink_tl-mr6400-v5-squashfs-sysupgrade.bin" | "ramips-mt76x8-tplink_tl-mr6400-v7-squashfs-sysupgrade.bin" | "ar71xx-generic-tl-wdr3600-v1-squashfs-sysupgrade.bin" | "ath79-generic-tplink_tl-wdr3600-v1-squashfs-sysupgrade.bin" | "ar71xx-generic-tl-wdr4300-v1-squashfs-sysupgrade.bin" | "ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin" | "ar71xx-generic-tl-wdr4300-v1-il-squashfs-sysupgrade.bin" | "ath79-generic-tplink_tl-wdr4300-v1-il-squashfs-sysupgrade.bin" | "ar71xx-generic-tl-wr2543-v1-squashfs-sysupgrade.bin" | "ath79-generic-tplink_tl-wr2543-v1-squashfs-sysupgrade.bin" | "ramips-mt76x8-tplink_tl-wr902ac-v3-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-airrouter-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_airrouter-squashfs-sysupgrade.bin" | "octeon-generic-ubnt_edgerouter-lite-squashfs-sysupgrade.tar" | "ar71xx-generic-ubnt-loco-m-xw-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_nanostation-loco-m-squashfs-sysupgrade.bin" | "ath79-tiny-ubnt_nanostation-loco-m-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_nanostation-loco-m-xw-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-nano-m-xw-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-nano-m-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_nanostation-m-xw-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_nanostation-m-squashfs-sysupgrade.bin" | "ath79-tiny-ubnt_nanostation-m-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-bullet-m-xw-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-bullet-m-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_picostation-m-squashfs-sysupgrade.bin" | "ath79-tiny-ubnt_picostation-m-squashfs-sysupgrade.bin" | "mediatek-filogic-ubnt_unifi-6-plus-squashfs-sysupgrade.bin" | "ramips-mt7621-ubnt_unifi-6-lite-squashfs-sysupgrade.bin" | "mediatek-mt7622-ubnt_unifi-6-lr-v1-squashfs-sysupgrade.bin" | "mediatek-mt7622-ubnt_unifi-6-lr-v2-squashfs-sysupgrade.bin" | "mediatek-mt7622-ubnt_unifi-6-lr-v3-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifi-ap-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifi-ap-lr-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifiac-lr-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-unifiac-mesh-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifiac-mesh-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-unifiac-mesh-pro-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifiac-mesh-pro-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifiac-pro-squashfs-sysupgrade.bin" | "ath79-generic-ubnt_unifi-ap-pro-squashfs-sysupgrade.bin" | "ar71xx-generic-ubnt-uap-pro-squashfs-sysupgrade.bin" | "ramips-mt7621-yuncore_ax820-squashfs-sysupgrade.bin" | "ramips-mt76x8-yuncore_cpe200-squashfs-sysupgrade.bin" | "ramips-mt7621-yuncore_g720-squashfs-sysupgrade.bin" | "ramips-mt76x8-yuncore_m300-squashfs-sysupgrade.bin" | "ar71xx-generic-xd3200-squashfs-sysupgrade.bin" | "ramips-mt7620-zbtlink_zbt-we1026-5g-16m-squashfs-sysupgrade.bin" | "ramips-mt7620-zbtlink_zbt-we826-16m-squashfs-sysupgrade.bin" | "ramips-mt7620-zbtlink_zbt-we826-32m-squashfs-sysupgrade.bin" | "ramips-mt7621-zbt-wg3526-16M-squashfs-sysupgrade.bin" | "ramips-mt7621-zbt-wg3526-32M-squashfs-sysupgrade.bin" | "x86-64-generic-squashfs-combined-efi.img.gz" | "x86-64-generic-squashfs-combined.img.gz" | "x86-64-combined-squashfs.img.gz" | "x86-generic-generic-squashfs-combined.img.gz" | "x86-geode-generic-squashfs-combined.img.gz" | ""; "organization"?: string; "page"?: string; "page_size"?: string; "ordering"?: string };
    readonly answer: {
      readonly "count": number;
      readonly "next": string | null;
      readonly "previous": string | null;
      readonly "results": readonly ({
        readonly "id"?: string;
        readonly "created"?: string;
        readonly "modified"?: string;
        readonly "file"?: string;
        readonly "type"?: string;
        readonly "build"?: string;
      })[];
    };
  };
  /** Uploads an image into a build, by a form with its `file` and its `type`, in any order */
  readonly addUpgraderImage: {
    readonly path: { "build": string };
    readonly body: never;
    readonly answer: {
      readonly "id"?: string;
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "file"?: string;
      readonly "type"?: string;
      readonly "build"?: string;
    };
  };
  /** Tells what is known of an image of a build */
  readonly getUpgraderImage: {
    readonly path: { "build": string; "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "file"?: string;
      readonly "type"?: string;
      readonly "build"?: string;
    };
  };
  /** Deletes an image; what upgrades made of it goes along, operations stay */
  readonly deleteUpgraderImage: {
    readonly path: { "build": string; "id": string };
    readonly answer: undefined;
  };
  /** Downloads an image of a build */
  readonly downloadUpgraderImage: {
    readonly path: { "build": string; "id": string };
    readonly answer: Uint8Array | undefined;
  };
  /** Tells whom POST would upgrade: firmware of devices, and devices without */
  readonly previewBuildUpgrade: {
    readonly path: { "build": string };
    readonly query?: { "group"?: string; "location"?: string; "organization"?: string };
    readonly answer: {
      readonly "device_firmwares": readonly (string)[];
      readonly "devices": readonly (string)[];
    };
  };
  /** Upgrades the devices of a build */
  readonly startBuildUpgrade: {
    readonly path: { "build": string };
    readonly body: {
      readonly "upgrade_all"?: boolean;
      readonly "group"?: string | null;
      readonly "location"?: string | null;
    };
    readonly answer: {
      readonly "batch": string;
    };
  };
  /** Lists the batches of builds */
  readonly listBatchUpgradeOperations: {
    readonly query?: { "build"?: string; "status"?: "idle" | "in-progress" | "success" | "failed" | "cancelled" | ""; "created"?: string; "organization"?: string; "page"?: string; "page_size"?: string; "ordering"?: string };
    readonly answer: {
      readonly "count": number;
      readonly "next": string | null;
      readonly "previous": string | null;
      readonly "results": readonly ({
        readonly "id"?: string;
        readonly "build"?: {
          readonly "id"?: string;
          readonly "category_relation"?: {
            readonly "name"?: string;
            readonly "organization"?: string | null;
          };
          readonly "created"?: string;
          readonly "modified"?: string;
          readonly "version"?: string;
          readonly "os"?: string | null;
          readonly "changelog"?: string;
          readonly "category"?: string;
        };
        readonly "created"?: string;
        readonly "modified"?: string;
        readonly "upgrade_options"?: Readonly<Record<string, unknown>>;
        readonly "status"?: "idle" | "in-progress" | "success" | "failed" | "cancelled";
        readonly "group"?: string | null;
        readonly "location"?: string | null;
      })[];
    };
  };
  /** Tells what a batch has come to, and what it has for each of its devices */
  readonly getBatchUpgradeOperation: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "build"?: {
        readonly "id"?: string;
        readonly "category_relation"?: {
          readonly "name"?: string;
          readonly "organization"?: string | null;
        };
        readonly "created"?: string;
        readonly "modified"?: string;
        readonly "version"?: string;
        readonly "os"?: string | null;
        readonly "changelog"?: string;
        readonly "category"?: string;
      };
      readonly "progress_report"?: string;
      readonly "success_rate"?: number;
      readonly "failed_rate"?: number;
      readonly "aborted_rate"?: number;
      readonly "cancelled_rate"?: number;
      readonly "upgradeoperations"?: readonly ({
        readonly "id"?: string;
        readonly "device"?: string;
        readonly "image"?: string | null;
        readonly "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled";
        readonly "log"?: string;
        readonly "progress"?: number;
        readonly "modified"?: string;
        readonly "created"?: string;
      })[];
      readonly "created"?: string;
      readonly "modified"?: string;
      readonly "upgrade_options"?: Readonly<Record<string, unknown>>;
      readonly "status"?: "idle" | "in-progress" | "success" | "failed" | "cancelled";
      readonly "group"?: string | null;
      readonly "location"?: string | null;
    };
  };
  /** Lists what batches have for devices: who gets what, and what has become of it */
  readonly listUpgradeOperations: {
    readonly query?: { "device"?: string; "image"?: string; "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled" | ""; "device__organization"?: string; "device__organization__slug"?: string; "device__organization_slug"?: string; "organization"?: string; "page"?: string; "page_size"?: string; "ordering"?: string };
    readonly answer: {
      readonly "count": number;
      readonly "next": string | null;
      readonly "previous": string | null;
      readonly "results": readonly ({
        readonly "id"?: string;
        readonly "device"?: string;
        readonly "image"?: string | null;
        readonly "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled";
        readonly "log"?: string;
        readonly "progress"?: number;
        readonly "modified"?: string;
        readonly "created"?: string;
      })[];
    };
  };
  /** Tells what has become of the upgrade of a device */
  readonly getUpgradeOperationWithoutSlash: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "device"?: string;
      readonly "image"?: string | null;
      readonly "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled";
      readonly "log"?: string;
      readonly "progress"?: number;
      readonly "modified"?: string;
      readonly "created"?: string;
    };
  };
  /** Tells what has become of the upgrade of a device */
  readonly getUpgradeOperation: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "device"?: string;
      readonly "image"?: string | null;
      readonly "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled";
      readonly "log"?: string;
      readonly "progress"?: number;
      readonly "modified"?: string;
      readonly "created"?: string;
    };
  };
  /** Takes back an upgrade that its device has not begun to carry out */
  readonly cancelUpgradeOperation: {
    readonly path: { "id": string };
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** Lists what batches have had for a device */
  readonly listDeviceUpgradeOperations: {
    readonly path: { "device": string };
    readonly query?: { "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled" | ""; "organization"?: string; "page"?: string; "page_size"?: string };
    readonly answer: {
      readonly "count": number;
      readonly "next": string | null;
      readonly "previous": string | null;
      readonly "results": readonly ({
        readonly "id"?: string;
        readonly "device"?: string;
        readonly "image"?: string | null;
        readonly "status"?: "in-progress" | "success" | "failed" | "aborted" | "cancelled";
        readonly "log"?: string;
        readonly "progress"?: number;
        readonly "modified"?: string;
      })[];
    };
  };
  /** Tells which firmware a device has of builds */
  readonly getDeviceFirmware: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "id"?: string;
      readonly "image"?: string;
      readonly "installed"?: boolean;
      readonly "modified"?: string;
    };
  };
  /** Gives a device an image, and upgrades it */
  readonly replaceDeviceFirmware: {
    readonly path: { "device": string };
    readonly body: {
      readonly "image": string;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "image"?: string;
      readonly "installed"?: boolean;
      readonly "modified"?: string;
    };
  };
  /** The same for a device that has one; without `image` for the one that it has */
  readonly changeDeviceFirmware: {
    readonly path: { "device": string };
    readonly body: {
      readonly "image"?: string;
    };
    readonly answer: {
      readonly "id"?: string;
      readonly "image"?: string;
      readonly "installed"?: boolean;
      readonly "modified"?: string;
    };
  };
  /** Forgets the firmware of a device; what is under way goes on */
  readonly deleteDeviceFirmware: {
    readonly path: { "device": string };
    readonly answer: undefined;
  };
  /** Gives a user who shows his password his permanent token */
  readonly obtainUpgraderToken: {
    readonly body: {
      readonly "username": string;
      readonly "password": string;
    };
    readonly answer: {
      readonly "username"?: string;
      readonly "password"?: string;
      readonly "token"?: string;
    };
  };
  /** Lists the services that there are */
  readonly listSystemUpdateServices: {
    readonly path: { "device": string };
    readonly answer: readonly ({
      readonly "id": string;
      readonly "versions": readonly (string)[];
    })[];
  };
  /** Tells how to log in */
  readonly systemUpdateAuthInfo: {
    readonly path: { "device": string };
    readonly answer: {
      readonly "supported_methods": readonly (string)[];
    };
  };
  /** Tells where the links of a service lead */
  readonly commonServiceDefinition: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** Tells where the links of a service lead */
  readonly systemUpdateServiceDefinition: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** Tells what is known of the device */
  readonly systemUpdateDeviceInfo: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "device_name": string;
      readonly "serial": string;
      readonly "model": string;
      readonly "hw_version": string;
      readonly "sw_version": string;
      readonly "mgmt_addresses": readonly (string)[];
    };
  };
  /** Begins a session of this API, which a cookie names */
  readonly logInToSystemUpdate: {
    readonly path: { "device": string };
    readonly body: {
      readonly "username": string;
      readonly "password": string;
    };
    readonly answer: undefined;
  };
  /** Ends the session of the cookie, or of the bearer, that the request came with */
  readonly logOutOfSystemUpdate: {
    readonly path: { "device": string };
    readonly answer: undefined;
  };
  /** Gives a bearer for an access code, which is a token of a user */
  readonly obtainSystemUpdateBearer: {
    readonly path: { "device": string };
    readonly body: never;
    readonly answer: {
      readonly "access_token": string;
      readonly "token_type": "Bearer";
      readonly "expires_in": number;
      readonly "state"?: string;
    };
  };
  /** Lists the images that the device could be updated to, with those on their way */
  readonly listSystemUpdateImages: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: {
      readonly "items": readonly (Schemas["SystemUpdateImage"])[];
    };
  };
  /** Tells of one image */
  readonly getSystemUpdateImage: {
    readonly path: { "device": string; "id": number };
    readonly query?: { "organization"?: string };
    readonly answer: Schemas["SystemUpdateImage"];
  };
  /** Deletes an image; one on its way is cancelled */
  readonly deleteSystemUpdateImage: {
    readonly path: { "device": string; "id": number };
    readonly query?: { "organization"?: string };
    readonly answer: undefined;
  };
  /** Uploads an image: the body is the file itself */
  readonly uploadSystemUpdateImage: {
    readonly path: { "device": string };
    readonly query?: { "version"?: string; "organization"?: string };
    readonly body: never;
    readonly answer: Schemas["SystemUpdateImage"];
  };
  /** Has Ferry fetch an image from a URL, in the background */
  readonly fetchSystemUpdateImage: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "url": string;
      readonly "version"?: string;
    };
    readonly answer: Schemas["SystemUpdateImage"];
  };
  /** Tells where the update of the device is, and what it was updated to before */
  readonly getSystemUpdate: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: Schemas["SystemUpdate"];
  };
  /** Has the newest image that fits the device made ready */
  readonly initializeSystemUpdate: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: undefined;
  };
  /** Starts the update that was made ready */
  readonly startSystemUpdate: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: undefined;
  };
  /** Puts away what was made ready, or has failed, and withdraws what was started and not sent yet */
  readonly resetSystemUpdate: {
    readonly path: { "device": string };
    readonly query?: { "organization"?: string };
    readonly answer: undefined;
  };
  /** Lists what there is at the device */
  readonly listFirmwareSlotsApi: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotsList"];
  };
  /** Lists what concerns firmware */
  readonly listFirmwareOfDevice: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotsList"];
  };
  /** Logs in by name and password (Basic): a cookie names the session */
  readonly logInToFirmwareSlots: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotsLinks"];
  };
  /** Logs out: ends the session of the cookie, and takes the cookie away */
  readonly logOutOfFirmwareSlots: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotsLinks"];
  };
  /** Tells how one can log in: by name and password alone */
  readonly listFirmwareSlotsLogInMethods: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotsList"];
  };
  /** Tells how one can log in: by name and password alone */
  readonly listFirmwareSlotsLogInTypes: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotsList"];
  };
  /** Lists the firmware slots of the device; the body of an empty one is empty */
  readonly listFirmwareSlots: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareSlotList"];
  };
  /** Tells what stands in a slot */
  readonly readFirmwareSlot: {
    readonly path: { "device": string; "id": string };
    readonly answer: Schemas["FirmwareSlot"];
  };
  /** Empties a slot, but for the current one and the one after reboot (403) */
  readonly emptyFirmwareSlot: {
    readonly path: { "device": string; "id": string };
    readonly answer: Schemas["FirmwareSlotsLinks"];
  };
  /** Tests whether the device could be upgraded to what stands in a slot */
  readonly testFirmwareSlot: {
    readonly path: { "device": string };
    readonly body: {
      readonly "slot_id": string | number;
      readonly "live"?: boolean;
    };
    readonly answer: Schemas["FirmwareSlotTest"];
  };
  /** Upgrades the device to what stands in a slot, once the same test is passed */
  readonly upgradeToFirmwareSlot: {
    readonly path: { "device": string };
    readonly body: {
      readonly "slot_id": string | number;
      readonly "message": string | null;
      readonly "live"?: boolean;
    };
    readonly answer: Schemas["FirmwareSlotTest"];
  };
  /** Uploads a firmware file into an empty slot: a form whose field `firmware` has the file */
  readonly uploadFirmwareToSlot: {
    readonly path: { "device": string };
    readonly body: never;
    readonly answer: Schemas["UploadedFirmwareSlot"];
  };
  /** Lists what was told to be fetched into slots, the oldest first */
  readonly listFirmwareFetches: {
    readonly path: { "device": string };
    readonly answer: Schemas["FirmwareFetchList"];
  };
  /** Fetches a firmware file into an empty slot, in the background */
  readonly fetchFirmwareToSlot: {
    readonly path: { "device": string };
    readonly body: {
      readonly "url": string;
      readonly "checksum"?: {
        readonly "sha256": string;
      };
    };
    readonly answer: Schemas["FirmwareFetch"];
  };
  /** Tells how far a fetch is */
  readonly readFirmwareFetch: {
    readonly path: { "device": string; "key": string };
    readonly answer: Schemas["FirmwareFetch"];
  };
  /** Cancels a fetch that has not ended, which stays in the list; takes out of it one that has */
  readonly dropFirmwareFetch: {
    readonly path: { "device": string; "key": string };
    readonly answer: Schemas["FirmwareFetch"];
  };
  /** Logs a user in by the MD5 of his password, where that is switched on for him */
  readonly scCloudLogIn: {
    readonly body: {
      readonly "id": string;
      readonly "pass": string;
    };
    readonly answer: {
      readonly "result": number;
      readonly "id"?: number;
      readonly "name"?: string;
      readonly "pass"?: string;
      readonly "sid"?: string;
      readonly "message"?: string;
    };
  };
  /** Ends the session of this cookie, and takes the cookies away */
  readonly scCloudLogOut: {
    readonly answer: {
      readonly "result": number;
      readonly "sid"?: string;
      readonly "message"?: string;
    };
  };
  /** Lists the firmware for a family of devices, a model of it, a hardware version */
  readonly scCloudFirmwares: {
    readonly query: { "dev-type": number; "product-id"?: number; "hardware-ver"?: string; "organization"?: string };
    readonly answer: {
      readonly "result": number;
      readonly "firmwares"?: readonly ({
        readonly "id"?: number;
        readonly "file-path"?: string;
        readonly "upload-date"?: number;
        readonly "dev-type"?: number;
        readonly "product-id"?: number;
        readonly "firmware-id"?: number;
        readonly "hardware-ver"?: string;
        readonly "marjor-ver"?: number;
        readonly "minor-ver"?: number;
        readonly "build-number"?: number;
        readonly "version"?: string;
      })[];
      readonly "message"?: string;
    };
  };
  /** Uploads a file of firmware, which firmware/add then lists */
  readonly scCloudUploadFirmware: {
    readonly query?: { "organization"?: string };
    readonly body: never;
    readonly answer: {
      readonly "result": number;
      readonly "file-path"?: string;
      readonly "file-size"?: number;
      readonly "firmware-info"?: Readonly<Record<string, unknown>>;
      readonly "message"?: string;
    };
  };
  /** Lists a file of firmware that was uploaded; 1 where it is listed already */
  readonly scCloudAddFirmware: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "file-path": string;
    };
    readonly answer: {
      readonly "result": number;
      readonly "method"?: "add-firmware";
      readonly "message"?: string;
    };
  };
  /** Lists the devices, by cpeid */
  readonly scCloudDevices: {
    readonly query?: { "id"?: number; "module"?: number; "organization"?: string };
    readonly answer: {
      readonly "result": number;
      readonly "devs"?: readonly ({
        readonly "catalog-id"?: number;
        readonly "sn"?: string;
        readonly "cpeid"?: string;
        readonly "module"?: number;
        readonly "dev-warning"?: number;
        readonly "is-everyone"?: number;
        readonly "users"?: readonly (string)[];
        readonly "apply-date"?: number;
        readonly "online-date"?: number;
        readonly "is-upload-file"?: number;
        readonly "upload-file-pos"?: number;
        readonly "status"?: {
          readonly "name"?: string;
          readonly "product-id"?: number;
          readonly "module-name"?: string;
          readonly "hardware-ver"?: string;
          readonly "marjor-ver"?: number;
          readonly "minor-ver"?: number;
          readonly "build-number"?: number;
          readonly "version"?: string;
        };
      })[];
      readonly "message"?: string;
    };
  };
  /** Shows a device, how far its upgrade is, and how the last has ended */
  readonly scCloudDevice: {
    readonly query: { "sn": string; "organization"?: string };
    readonly answer: {
      readonly "result": number;
      readonly "dev"?: {
        readonly "catalog-id"?: number;
        readonly "sn"?: string;
        readonly "cpeid"?: string;
        readonly "module"?: number;
        readonly "dev-warning"?: number;
        readonly "is-everyone"?: number;
        readonly "users"?: readonly (string)[];
        readonly "apply-date"?: number;
        readonly "online-date"?: number;
        readonly "is-upload-file"?: number;
        readonly "upload-file-pos"?: number;
        readonly "status"?: {
          readonly "name"?: string;
          readonly "product-id"?: number;
          readonly "module-name"?: string;
          readonly "hardware-ver"?: string;
          readonly "marjor-ver"?: number;
          readonly "minor-ver"?: number;
          readonly "build-number"?: number;
          readonly "version"?: string;
        };
      };
      readonly "details"?: readonly ({
        readonly "sn": string;
        readonly "result": number;
        readonly "message"?: string;
      })[];
      readonly "message"?: string;
    };
  };
  /** Begins to upgrade devices of one family, model and hardware version */
  readonly scCloudStartUpgrade: {
    readonly query?: { "organization"?: string };
    readonly body: {
      readonly "sn": readonly (string)[];
      readonly "firmware-id": number;
    };
    readonly answer: {
      readonly "result": number;
      readonly "method"?: "start-upgrade";
      readonly "details"?: readonly ({
        readonly "sn": string;
        readonly "result": number;
        readonly "message"?: string;
      })[];
      readonly "message"?: string;
    };
  };
  /** Lists sessions: one's own, and by admins everybody's or another user's */
  readonly listSessions: {
    readonly query?: { "user"?: string; "limit"?: number; "after"?: string; "organization"?: string };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: readonly (Schemas["Session"])[];
    });
  };
  /** Ends a session, on all nodes at once: one's own, and by admins anybody's */
  readonly revokeSession: {
    readonly path: { "id": string };
    readonly query?: { "organization"?: string };
    readonly answer: Schemas["Answer"];
  };
  /** Tells a page who is logged in, and its CSRF token */
  readonly ownSession: {
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["OwnSession"];
    });
  };
  /** Logs a page in: begins a session, which a cookie names */
  readonly logIn: {
    readonly body: {
      readonly "name": string;
      readonly "password": string;
    };
    readonly answer: (Schemas["Answer"]) & ({
      readonly "details"?: Schemas["OwnSession"];
    });
  };
  /** Logs a page out: ends the session of this cookie, and takes the cookie away */
  readonly logOut: {
    readonly answer: Schemas["Answer"];
  };
  /** The JSON Schema (draft 7) of rule files, for editors */
  readonly ruleFileSchema: {
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** The JSON Schema (draft 7) of the tests of rule files, for editors */
  readonly ruleTestSchema: {
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** Tells whether this process can do its work */
  readonly health: {
    readonly answer: Schemas["Health"];
  };
  /** Tells whether CPEs may be sent to this process */
  readonly readiness: {
    readonly answer: Schemas["Health"];
  };
  /** Tells that this process turns */
  readonly liveness: {
    readonly answer: Schemas["Health"];
  };
  /** Metrics for Prometheus */
  readonly metrics: {
    readonly answer: string;
  };
  /** This document */
  readonly openapi: {
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** A page that leads to everything, for people */
  readonly firstPage: {
    readonly answer: string;
  };
  /** A file that pages load */
  readonly pageAsset: {
    readonly path: { "asset": string };
    readonly answer: string | Uint8Array | undefined;
  };
  /** The page by which people log in */
  readonly logInPage: {
    readonly query?: { "next"?: string };
    readonly answer: string;
  };
  /** Logs in by name and password, and leads on */
  readonly logInByPage: {
    readonly body: never;
    readonly answer: undefined;
  };
  /** Ends the session of this browser, and takes its cookies away */
  readonly logOutByPage: {
    readonly body: never;
    readonly answer: undefined;
  };
  /** A page that shows every call, and tries them */
  readonly docsPage: {
    readonly answer: string;
  };
  /** A file of Swagger UI that this page loads */
  readonly docsAsset: {
    readonly path: { "asset": string };
    readonly answer: string | Uint8Array | undefined;
  };
  /** The OpenAPI document, as /v1/openapi.json has it */
  readonly docsJson: {
    readonly answer: Readonly<Record<string, unknown>>;
  };
  /** The OpenAPI document, as /v1/openapi.json has it */
  readonly docsYaml: {
    readonly answer: string;
  };
  /** Leads to the page that shows every call */
  readonly redocPage: {
    readonly answer: undefined;
  };
  /** Leads to the page that shows every call */
  readonly shortDocsPage: {
    readonly answer: undefined;
  };
  /** The OpenAPI document, as /v1/openapi.json has it */
  readonly swaggerJson: {
    readonly answer: Readonly<Record<string, unknown>>;
  };
}

export type OperationId = keyof Operations;

/** How each call is sent, and the media types that its body may have. */
export const OPERATIONS: Readonly<
  Record<
    OperationId,
    { readonly method: string; readonly path: string; readonly body: readonly string[]; readonly summary: string }
  >
> = {
  listRules: {"method":"GET","path":"/v1/dyn/FirmwareStorage/{pattern}","body":[],"summary":"Lists upgrade rules, newest first"},
  putRules: {"method":"POST","path":"/v1/dyn/FirmwareStorage/{pattern}","body":["application/json","application/x-ndjson"],"summary":"Creates or replaces upgrade rules, all or none, or any number of them batch by batch"},
  changeRules: {"method":"PUT","path":"/v1/dyn/FirmwareStorage/{pattern}","body":["application/json"],"summary":"Merges fields into every rule that matches"},
  deleteRules: {"method":"DELETE","path":"/v1/dyn/FirmwareStorage/{pattern}","body":[],"summary":"Deletes every rule that matches"},
  countRules: {"method":"GET","path":"/v1/dyn/FirmwareStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteRulesByFields: {"method":"POST","path":"/v1/dyn/FirmwareStorage/delete_objects","body":["application/json"],"summary":"Deletes every rule that matches an object of fields"},
  deleteRulesById: {"method":"POST","path":"/v1/dyn/FirmwareStorage/delete_objects_by_id","body":["application/json"],"summary":"Deletes every rule that matches a list of ids"},
  listResults: {"method":"GET","path":"/v1/dyn/FirmwareResultStorage/{pattern}","body":[],"summary":"Lists the results of upgrades, running and ended, the one begun last first"},
  deleteResults: {"method":"DELETE","path":"/v1/dyn/FirmwareResultStorage/{pattern}","body":[],"summary":"Deletes every result that matches"},
  countResults: {"method":"GET","path":"/v1/dyn/FirmwareResultStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteResultsByFields: {"method":"POST","path":"/v1/dyn/FirmwareResultStorage/delete_objects","body":["application/json"],"summary":"Deletes every result that matches an object of fields"},
  deleteResultsById: {"method":"POST","path":"/v1/dyn/FirmwareResultStorage/delete_objects_by_id","body":["application/json"],"summary":"Deletes every result that matches a list of ids"},
  listDevices: {"method":"GET","path":"/v1/dyn/DeviceStorage/{pattern}","body":[],"summary":"Lists the CPEs that are known, by id"},
  changeDevices: {"method":"PUT","path":"/v1/dyn/DeviceStorage/{pattern}","body":["application/json"],"summary":"Puts every CPE that matches into an organization"},
  deleteDevices: {"method":"DELETE","path":"/v1/dyn/DeviceStorage/{pattern}","body":[],"summary":"Deletes every CPE that matches, with its data model"},
  countDevices: {"method":"GET","path":"/v1/dyn/DeviceStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteDevicesByFields: {"method":"POST","path":"/v1/dyn/DeviceStorage/delete_objects","body":["application/json"],"summary":"Deletes every CPE that matches, with its data model an object of fields"},
  deleteDevicesById: {"method":"POST","path":"/v1/dyn/DeviceStorage/delete_objects_by_id","body":["application/json"],"summary":"Deletes every CPE that matches, with its data model a list of ids"},
  listCpeDbService: {"method":"GET","path":"/v1/dyn/CpeDbService/{pattern}","body":[],"summary":"Lists the CPEs that are known, by id"},
  changeCpeDbService: {"method":"PUT","path":"/v1/dyn/CpeDbService/{pattern}","body":["application/json"],"summary":"Puts every CPE that matches into an organization"},
  deleteCpeDbService: {"method":"DELETE","path":"/v1/dyn/CpeDbService/{pattern}","body":[],"summary":"Deletes every CPE that matches, with its data model"},
  countCpeDbService: {"method":"GET","path":"/v1/dyn/CpeDbService/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteCpeDbServiceByFields: {"method":"POST","path":"/v1/dyn/CpeDbService/delete_objects","body":["application/json"],"summary":"Deletes every CPE that matches, with its data model an object of fields"},
  deleteCpeDbServiceById: {"method":"POST","path":"/v1/dyn/CpeDbService/delete_objects_by_id","body":["application/json"],"summary":"Deletes every CPE that matches, with its data model a list of ids"},
  listCpeCredentials: {"method":"GET","path":"/v1/dyn/CpeAuthStorage/{pattern}","body":[],"summary":"Lists what single CPEs log in as, by user name, never with a password"},
  putCpeCredentials: {"method":"POST","path":"/v1/dyn/CpeAuthStorage/{pattern}","body":["application/json","application/x-ndjson"],"summary":"Gives CPEs credentials, all or none, or any number of them batch by batch"},
  deleteCpeCredentials: {"method":"DELETE","path":"/v1/dyn/CpeAuthStorage/{pattern}","body":[],"summary":"Takes away whatever credentials match"},
  countCpeCredentials: {"method":"GET","path":"/v1/dyn/CpeAuthStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteCpeCredentialsByFields: {"method":"POST","path":"/v1/dyn/CpeAuthStorage/delete_objects","body":["application/json"],"summary":"Takes away whatever credentials match an object of fields"},
  deleteCpeCredentialsById: {"method":"POST","path":"/v1/dyn/CpeAuthStorage/delete_objects_by_id","body":["application/json"],"summary":"Takes away whatever credentials match a list of ids"},
  listUserStorage: {"method":"GET","path":"/v1/dyn/UserStorage/{pattern}","body":[],"summary":"Lists the users, by name, never with a password"},
  putUserStorage: {"method":"POST","path":"/v1/dyn/UserStorage/{pattern}","body":["application/json"],"summary":"Adds a user, or changes the one of that name"},
  changeUserStorage: {"method":"PUT","path":"/v1/dyn/UserStorage/{pattern}","body":["application/json"],"summary":"Changes role, activity, password or log-in to /sc_cloud of every user that matches"},
  deleteUserStorage: {"method":"DELETE","path":"/v1/dyn/UserStorage/{pattern}","body":[],"summary":"Removes every user that matches, with his tokens"},
  countUserStorage: {"method":"GET","path":"/v1/dyn/UserStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteUserStorageByFields: {"method":"POST","path":"/v1/dyn/UserStorage/delete_objects","body":["application/json"],"summary":"Removes every user that matches, with his tokens an object of fields"},
  deleteUserStorageById: {"method":"POST","path":"/v1/dyn/UserStorage/delete_objects_by_id","body":["application/json"],"summary":"Removes every user that matches, with his tokens a list of ids"},
  listAuthStorage: {"method":"GET","path":"/v1/dyn/AuthStorage/{pattern}","body":[],"summary":"Lists the users, by name, never with a password"},
  putAuthStorage: {"method":"POST","path":"/v1/dyn/AuthStorage/{pattern}","body":["application/json"],"summary":"Adds a user, or changes the one of that name"},
  changeAuthStorage: {"method":"PUT","path":"/v1/dyn/AuthStorage/{pattern}","body":["application/json"],"summary":"Changes role, activity, password or log-in to /sc_cloud of every user that matches"},
  deleteAuthStorage: {"method":"DELETE","path":"/v1/dyn/AuthStorage/{pattern}","body":[],"summary":"Removes every user that matches, with his tokens"},
  countAuthStorage: {"method":"GET","path":"/v1/dyn/AuthStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteAuthStorageByFields: {"method":"POST","path":"/v1/dyn/AuthStorage/delete_objects","body":["application/json"],"summary":"Removes every user that matches, with his tokens an object of fields"},
  deleteAuthStorageById: {"method":"POST","path":"/v1/dyn/AuthStorage/delete_objects_by_id","body":["application/json"],"summary":"Removes every user that matches, with his tokens a list of ids"},
  listTokens: {"method":"GET","path":"/v1/dyn/TokenStorage/{pattern}","body":[],"summary":"Lists the tokens of all users, by id, never with their secret part"},
  createToken: {"method":"POST","path":"/v1/dyn/TokenStorage/{pattern}","body":["application/json"],"summary":"Makes a token, and shows it this once"},
  revokeTokens: {"method":"DELETE","path":"/v1/dyn/TokenStorage/{pattern}","body":[],"summary":"Revokes whatever tokens match: nobody gets in by them any more"},
  countTokens: {"method":"GET","path":"/v1/dyn/TokenStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  revokeTokensByFields: {"method":"POST","path":"/v1/dyn/TokenStorage/delete_objects","body":["application/json"],"summary":"Revokes whatever tokens match: nobody gets in by them any more an object of fields"},
  revokeTokensById: {"method":"POST","path":"/v1/dyn/TokenStorage/delete_objects_by_id","body":["application/json"],"summary":"Revokes whatever tokens match: nobody gets in by them any more a list of ids"},
  listOrganizations: {"method":"GET","path":"/v1/dyn/OrganizationStorage/{pattern}","body":[],"summary":"Lists the organizations, in the order in which their rules are looked at"},
  addOrganization: {"method":"POST","path":"/v1/dyn/OrganizationStorage/{pattern}","body":["application/json"],"summary":"Adds an organization, and answers with it"},
  changeOrganizations: {"method":"PUT","path":"/v1/dyn/OrganizationStorage/{pattern}","body":["application/json"],"summary":"Merges fields into every organization that matches"},
  deleteOrganizations: {"method":"DELETE","path":"/v1/dyn/OrganizationStorage/{pattern}","body":[],"summary":"Deletes every organization that matches"},
  countOrganizations: {"method":"GET","path":"/v1/dyn/OrganizationStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteOrganizationsByFields: {"method":"POST","path":"/v1/dyn/OrganizationStorage/delete_objects","body":["application/json"],"summary":"Deletes every organization that matches an object of fields"},
  deleteOrganizationsById: {"method":"POST","path":"/v1/dyn/OrganizationStorage/delete_objects_by_id","body":["application/json"],"summary":"Deletes every organization that matches a list of ids"},
  listCategories: {"method":"GET","path":"/v1/dyn/CategoryStorage/{pattern}","body":[],"summary":"Lists the categories: the shared ones first, each owner’s by name"},
  addCategory: {"method":"POST","path":"/v1/dyn/CategoryStorage/{pattern}","body":["application/json"],"summary":"Adds a category, and answers with it"},
  changeCategories: {"method":"PUT","path":"/v1/dyn/CategoryStorage/{pattern}","body":["application/json"],"summary":"Merges fields into every category that matches"},
  deleteCategories: {"method":"DELETE","path":"/v1/dyn/CategoryStorage/{pattern}","body":[],"summary":"Deletes every category that matches"},
  countCategories: {"method":"GET","path":"/v1/dyn/CategoryStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteCategoriesByFields: {"method":"POST","path":"/v1/dyn/CategoryStorage/delete_objects","body":["application/json"],"summary":"Deletes every category that matches an object of fields"},
  deleteCategoriesById: {"method":"POST","path":"/v1/dyn/CategoryStorage/delete_objects_by_id","body":["application/json"],"summary":"Deletes every category that matches a list of ids"},
  listBuilds: {"method":"GET","path":"/v1/dyn/BuildStorage/{pattern}","body":[],"summary":"Lists the builds: the shared ones first, each owner’s from the oldest"},
  addBuild: {"method":"POST","path":"/v1/dyn/BuildStorage/{pattern}","body":["application/json"],"summary":"Adds a build, and answers with it"},
  changeBuilds: {"method":"PUT","path":"/v1/dyn/BuildStorage/{pattern}","body":["application/json"],"summary":"Merges fields into every build that matches"},
  deleteBuilds: {"method":"DELETE","path":"/v1/dyn/BuildStorage/{pattern}","body":[],"summary":"Deletes every build that matches"},
  countBuilds: {"method":"GET","path":"/v1/dyn/BuildStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  deleteBuildsByFields: {"method":"POST","path":"/v1/dyn/BuildStorage/delete_objects","body":["application/json"],"summary":"Deletes every build that matches an object of fields"},
  deleteBuildsById: {"method":"POST","path":"/v1/dyn/BuildStorage/delete_objects_by_id","body":["application/json"],"summary":"Deletes every build that matches a list of ids"},
  countAudit: {"method":"GET","path":"/v1/dyn/AuditStorage/count.*","body":[],"summary":"Counts what a list would have that is asked for by the same fields"},
  listAudit: {"method":"GET","path":"/v1/dyn/AuditStorage/{pattern}","body":[],"summary":"Lists who has changed what, the latest first"},
  sendConnectionRequest: {"method":"POST","path":"/v1/method/SendCNR","body":["application/json"],"summary":"Asks CPEs to start a session"},
  restartRule: {"method":"POST","path":"/v1/method/RestartRule","body":["application/json"],"summary":"Forgets what was counted against rules, so that they upgrade their CPEs again"},
  approveDevices: {"method":"POST","path":"/v1/method/ApproveDevices","body":["application/json"],"summary":"Enrols CPEs that wait (enrolment in DeviceStorage)"},
  freezeState: {"method":"GET","path":"/v1/method/FreezeUpgrades","body":[],"summary":"Tells whether upgrades are frozen"},
  freezeUpgrades: {"method":"POST","path":"/v1/method/FreezeUpgrades","body":["application/json"],"summary":"The emergency brake: while upgrades are frozen no Download is sent"},
  explainRules: {"method":"POST","path":"/v1/method/ExplainRules","body":["application/json"],"summary":"Tells what would be decided for a CPE now, and what became of each rule"},
  matchDevices: {"method":"POST","path":"/v1/method/MatchDevices","body":["application/json"],"summary":"Counts and lists the known CPEs that a rule would upgrade now, as though it were enabled"},
  readmitDevice: {"method":"POST","path":"/v1/method/ReadmitDevice","body":["application/json"],"summary":"Has a CPE that has lost its credentials, as by a factory reset, be given new ones when it comes"},
  changePassword: {"method":"POST","path":"/v1/method/ChangePassword","body":["application/json"],"summary":"Gives whoever asks another password"},
  collectImages: {"method":"POST","path":"/v1/method/CollectImages","body":["application/json"],"summary":"Deletes the images that nobody needs, or tells which these are"},
  listImages: {"method":"GET","path":"/v1/images","body":[],"summary":"Lists the firmware library, by name"},
  uploadImageByForm: {"method":"POST","path":"/v1/images","body":["multipart/form-data"],"summary":"Uploads an image by a form, as pages and curl -F send it: its fields, and behind them the file"},
  getImage: {"method":"GET","path":"/v1/images/{name}","body":[],"summary":"Tells what is known of an image"},
  uploadImage: {"method":"PUT","path":"/v1/images/{name}","body":["application/octet-stream"],"summary":"Uploads an image: the body is the file itself"},
  placeImage: {"method":"PATCH","path":"/v1/images/{name}","body":["application/json"],"summary":"Puts an image into a build, into another place, or into none"},
  deleteImage: {"method":"DELETE","path":"/v1/images/{name}","body":[],"summary":"Deletes an image"},
  signImage: {"method":"PUT","path":"/v1/images/{name}/signature","body":["application/octet-stream"],"summary":"Adds a signature to an image: the body is the file of the signature itself"},
  unsignImage: {"method":"DELETE","path":"/v1/images/{name}/signature","body":[],"summary":"Takes the signature from an image"},
  downloadImage: {"method":"GET","path":"/v1/images/{name}/content","body":[],"summary":"Downloads an image, or a range of it"},
  listImageKeys: {"method":"GET","path":"/v1/image-keys","body":[],"summary":"Lists the public keys by which images are verified, by name"},
  addImageKey: {"method":"PUT","path":"/v1/image-keys/{name}","body":["application/json"],"summary":"Adds a public key by which images are verified"},
  removeImageKey: {"method":"DELETE","path":"/v1/image-keys/{name}","body":[],"summary":"Removes a public key: what was signed by it counts as unsigned from now on"},
  listUploads: {"method":"GET","path":"/v1/uploads","body":[],"summary":"Lists uploads of images, the latest first"},
  beginUpload: {"method":"POST","path":"/v1/uploads","body":["application/json"],"summary":"Begins an upload of an image in parts, which goes on after a broken connection; or has it fetched"},
  getUpload: {"method":"GET","path":"/v1/uploads/{id}","body":[],"summary":"Tells how far an upload has come"},
  uploadPart: {"method":"PUT","path":"/v1/uploads/{id}","body":["application/octet-stream"],"summary":"Uploads the next part of an image; the last has it validated"},
  cancelUpload: {"method":"DELETE","path":"/v1/uploads/{id}","body":[],"summary":"Cancels an upload, also one that comes in one request: its bytes are removed"},
  listBatches: {"method":"GET","path":"/v1/batches","body":[],"summary":"Lists the batches, newest first"},
  makeBatch: {"method":"POST","path":"/v1/batches","body":["application/json","application/x-ndjson"],"summary":"Makes a batch: an image, or a build, for many CPEs"},
  getBatch: {"method":"GET","path":"/v1/batches/{id}","body":[],"summary":"Tells how far a batch has come, and why CPEs of it were not upgraded"},
  deleteBatch: {"method":"DELETE","path":"/v1/batches/{id}","body":[],"summary":"Cancels a batch, and deletes it with its rules and operations; the results of upgrades stay"},
  cancelBatch: {"method":"POST","path":"/v1/batches/{id}/cancel","body":[],"summary":"Cancels a batch: nothing more of it is sent once this has answered"},
  retryBatch: {"method":"POST","path":"/v1/batches/{id}/retry","body":["application/json"],"summary":"Starts again what has failed, timed out or was cancelled"},
  listBatchOperations: {"method":"GET","path":"/v1/batches/{id}/operations","body":[],"summary":"Lists what became of the CPEs of a batch, one operation each"},
  cancelBatchOperation: {"method":"POST","path":"/v1/batches/{id}/operations/{cpeid}/cancel","body":[],"summary":"Cancels a batch for one CPE"},
  listUpgraderCategories: {"method":"GET","path":"/api/v1/firmware-upgrader/category/","body":[],"summary":"Lists the categories of builds"},
  addUpgraderCategory: {"method":"POST","path":"/api/v1/firmware-upgrader/category/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Adds a category"},
  getUpgraderCategory: {"method":"GET","path":"/api/v1/firmware-upgrader/category/{id}/","body":[],"summary":"Tells what is known of a category"},
  replaceUpgraderCategory: {"method":"PUT","path":"/api/v1/firmware-upgrader/category/{id}/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Changes a category; its name must be said"},
  changeUpgraderCategory: {"method":"PATCH","path":"/api/v1/firmware-upgrader/category/{id}/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Changes what is said of a category"},
  deleteUpgraderCategory: {"method":"DELETE","path":"/api/v1/firmware-upgrader/category/{id}/","body":[],"summary":"Deletes a category with its builds, their images, and what upgrades made of them"},
  listUpgraderBuilds: {"method":"GET","path":"/api/v1/firmware-upgrader/build/","body":[],"summary":"Lists the builds of firmware"},
  addUpgraderBuild: {"method":"POST","path":"/api/v1/firmware-upgrader/build/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Adds a build"},
  getUpgraderBuild: {"method":"GET","path":"/api/v1/firmware-upgrader/build/{id}/","body":[],"summary":"Tells what is known of a build"},
  replaceUpgraderBuild: {"method":"PUT","path":"/api/v1/firmware-upgrader/build/{id}/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Changes a build; its category and version must be said"},
  changeUpgraderBuild: {"method":"PATCH","path":"/api/v1/firmware-upgrader/build/{id}/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Changes what is said of a build"},
  deleteUpgraderBuild: {"method":"DELETE","path":"/api/v1/firmware-upgrader/build/{id}/","body":[],"summary":"Deletes a build with its images, and what upgrades made of them"},
  listUpgraderImages: {"method":"GET","path":"/api/v1/firmware-upgrader/build/{build}/image/","body":[],"summary":"Lists the images of a build"},
  addUpgraderImage: {"method":"POST","path":"/api/v1/firmware-upgrader/build/{build}/image/","body":["multipart/form-data"],"summary":"Uploads an image into a build, by a form with its `file` and its `type`, in any order"},
  getUpgraderImage: {"method":"GET","path":"/api/v1/firmware-upgrader/build/{build}/image/{id}/","body":[],"summary":"Tells what is known of an image of a build"},
  deleteUpgraderImage: {"method":"DELETE","path":"/api/v1/firmware-upgrader/build/{build}/image/{id}/","body":[],"summary":"Deletes an image; what upgrades made of it goes along, operations stay"},
  downloadUpgraderImage: {"method":"GET","path":"/api/v1/firmware-upgrader/build/{build}/image/{id}/download/","body":[],"summary":"Downloads an image of a build"},
  previewBuildUpgrade: {"method":"GET","path":"/api/v1/firmware-upgrader/build/{build}/upgrade/","body":[],"summary":"Tells whom POST would upgrade: firmware of devices, and devices without"},
  startBuildUpgrade: {"method":"POST","path":"/api/v1/firmware-upgrader/build/{build}/upgrade/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Upgrades the devices of a build"},
  listBatchUpgradeOperations: {"method":"GET","path":"/api/v1/firmware-upgrader/batch-upgrade-operation/","body":[],"summary":"Lists the batches of builds"},
  getBatchUpgradeOperation: {"method":"GET","path":"/api/v1/firmware-upgrader/batch-upgrade-operation/{id}/","body":[],"summary":"Tells what a batch has come to, and what it has for each of its devices"},
  listUpgradeOperations: {"method":"GET","path":"/api/v1/firmware-upgrader/upgrade-operation/","body":[],"summary":"Lists what batches have for devices: who gets what, and what has become of it"},
  getUpgradeOperationWithoutSlash: {"method":"GET","path":"/api/v1/firmware-upgrader/upgrade-operation/{id}","body":[],"summary":"Tells what has become of the upgrade of a device"},
  getUpgradeOperation: {"method":"GET","path":"/api/v1/firmware-upgrader/upgrade-operation/{id}/","body":[],"summary":"Tells what has become of the upgrade of a device"},
  cancelUpgradeOperation: {"method":"POST","path":"/api/v1/firmware-upgrader/upgrade-operation/{id}/cancel/","body":[],"summary":"Takes back an upgrade that its device has not begun to carry out"},
  listDeviceUpgradeOperations: {"method":"GET","path":"/api/v1/firmware-upgrader/device/{device}/upgrade-operation/","body":[],"summary":"Lists what batches have had for a device"},
  getDeviceFirmware: {"method":"GET","path":"/api/v1/firmware-upgrader/device/{device}/firmware/","body":[],"summary":"Tells which firmware a device has of builds"},
  replaceDeviceFirmware: {"method":"PUT","path":"/api/v1/firmware-upgrader/device/{device}/firmware/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Gives a device an image, and upgrades it"},
  changeDeviceFirmware: {"method":"PATCH","path":"/api/v1/firmware-upgrader/device/{device}/firmware/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"The same for a device that has one; without `image` for the one that it has"},
  deleteDeviceFirmware: {"method":"DELETE","path":"/api/v1/firmware-upgrader/device/{device}/firmware/","body":[],"summary":"Forgets the firmware of a device; what is under way goes on"},
  obtainUpgraderToken: {"method":"POST","path":"/api/v1/users/token/","body":["application/json","application/x-www-form-urlencoded","multipart/form-data"],"summary":"Gives a user who shows his password his permanent token"},
  listSystemUpdateServices: {"method":"GET","path":"/devices/{device}/api/common/1.0/services","body":[],"summary":"Lists the services that there are"},
  systemUpdateAuthInfo: {"method":"GET","path":"/devices/{device}/api/common/1.0/auth_info","body":[],"summary":"Tells how to log in"},
  commonServiceDefinition: {"method":"GET","path":"/devices/{device}/api/common/1.0","body":[],"summary":"Tells where the links of a service lead"},
  systemUpdateServiceDefinition: {"method":"GET","path":"/devices/{device}/api/npm.system_update/2.0","body":[],"summary":"Tells where the links of a service lead"},
  systemUpdateDeviceInfo: {"method":"GET","path":"/devices/{device}/api/common/1.0/info","body":[],"summary":"Tells what is known of the device"},
  logInToSystemUpdate: {"method":"POST","path":"/devices/{device}/api/common/1.0/login","body":["application/json"],"summary":"Begins a session of this API, which a cookie names"},
  logOutOfSystemUpdate: {"method":"POST","path":"/devices/{device}/api/common/1.0/logout","body":[],"summary":"Ends the session of the cookie, or of the bearer, that the request came with"},
  obtainSystemUpdateBearer: {"method":"POST","path":"/devices/{device}/api/common/1.0/oauth/token","body":["application/x-www-form-urlencoded"],"summary":"Gives a bearer for an access code, which is a token of a user"},
  listSystemUpdateImages: {"method":"GET","path":"/devices/{device}/api/npm.system_update/2.0/images","body":[],"summary":"Lists the images that the device could be updated to, with those on their way"},
  getSystemUpdateImage: {"method":"GET","path":"/devices/{device}/api/npm.system_update/2.0/images/items/{id}","body":[],"summary":"Tells of one image"},
  deleteSystemUpdateImage: {"method":"DELETE","path":"/devices/{device}/api/npm.system_update/2.0/images/items/{id}","body":[],"summary":"Deletes an image; one on its way is cancelled"},
  uploadSystemUpdateImage: {"method":"POST","path":"/devices/{device}/api/npm.system_update/2.0/images/upload","body":["application/octet-stream"],"summary":"Uploads an image: the body is the file itself"},
  fetchSystemUpdateImage: {"method":"POST","path":"/devices/{device}/api/npm.system_update/2.0/images/fetch","body":["application/json"],"summary":"Has Ferry fetch an image from a URL, in the background"},
  getSystemUpdate: {"method":"GET","path":"/devices/{device}/api/npm.system_update/2.0/update","body":[],"summary":"Tells where the update of the device is, and what it was updated to before"},
  initializeSystemUpdate: {"method":"POST","path":"/devices/{device}/api/npm.system_update/2.0/update/init","body":[],"summary":"Has the newest image that fits the device made ready"},
  startSystemUpdate: {"method":"POST","path":"/devices/{device}/api/npm.system_update/2.0/update/start","body":[],"summary":"Starts the update that was made ready"},
  resetSystemUpdate: {"method":"POST","path":"/devices/{device}/api/npm.system_update/2.0/update/reset","body":[],"summary":"Puts away what was made ready, or has failed, and withdraws what was started and not sent yet"},
  listFirmwareSlotsApi: {"method":"GET","path":"/devices/{device}/api","body":[],"summary":"Lists what there is at the device"},
  listFirmwareOfDevice: {"method":"GET","path":"/devices/{device}/api/firmware","body":[],"summary":"Lists what concerns firmware"},
  logInToFirmwareSlots: {"method":"GET","path":"/devices/{device}/api/authentication","body":[],"summary":"Logs in by name and password (Basic): a cookie names the session"},
  logOutOfFirmwareSlots: {"method":"DELETE","path":"/devices/{device}/api/authentication","body":[],"summary":"Logs out: ends the session of the cookie, and takes the cookie away"},
  listFirmwareSlotsLogInMethods: {"method":"GET","path":"/devices/{device}/api/authentication/login_methods","body":[],"summary":"Tells how one can log in: by name and password alone"},
  listFirmwareSlotsLogInTypes: {"method":"GET","path":"/devices/{device}/api/authentication/types","body":[],"summary":"Tells how one can log in: by name and password alone"},
  listFirmwareSlots: {"method":"GET","path":"/devices/{device}/api/firmware/slots","body":[],"summary":"Lists the firmware slots of the device; the body of an empty one is empty"},
  readFirmwareSlot: {"method":"GET","path":"/devices/{device}/api/firmware/slots/{id}","body":[],"summary":"Tells what stands in a slot"},
  emptyFirmwareSlot: {"method":"DELETE","path":"/devices/{device}/api/firmware/slots/{id}","body":[],"summary":"Empties a slot, but for the current one and the one after reboot (403)"},
  testFirmwareSlot: {"method":"POST","path":"/devices/{device}/api/firmware/test","body":["application/json","application/x-www-form-urlencoded"],"summary":"Tests whether the device could be upgraded to what stands in a slot"},
  upgradeToFirmwareSlot: {"method":"POST","path":"/devices/{device}/api/firmware/upgrade","body":["application/json","application/x-www-form-urlencoded"],"summary":"Upgrades the device to what stands in a slot, once the same test is passed"},
  uploadFirmwareToSlot: {"method":"POST","path":"/devices/{device}/api/upload/firmware","body":["multipart/form-data"],"summary":"Uploads a firmware file into an empty slot: a form whose field `firmware` has the file"},
  listFirmwareFetches: {"method":"GET","path":"/devices/{device}/api/firmware/fetch","body":[],"summary":"Lists what was told to be fetched into slots, the oldest first"},
  fetchFirmwareToSlot: {"method":"POST","path":"/devices/{device}/api/firmware/fetch","body":["application/json","application/x-www-form-urlencoded"],"summary":"Fetches a firmware file into an empty slot, in the background"},
  readFirmwareFetch: {"method":"GET","path":"/devices/{device}/api/firmware/fetch/{key}","body":[],"summary":"Tells how far a fetch is"},
  dropFirmwareFetch: {"method":"DELETE","path":"/devices/{device}/api/firmware/fetch/{key}","body":[],"summary":"Cancels a fetch that has not ended, which stays in the list; takes out of it one that has"},
  scCloudLogIn: {"method":"POST","path":"/sc_cloud/login","body":["multipart/form-data","application/x-www-form-urlencoded","application/json"],"summary":"Logs a user in by the MD5 of his password, where that is switched on for him"},
  scCloudLogOut: {"method":"POST","path":"/sc_cloud/logout","body":[],"summary":"Ends the session of this cookie, and takes the cookies away"},
  scCloudFirmwares: {"method":"GET","path":"/sc_cloud/scapi/get-all-firmwares","body":[],"summary":"Lists the firmware for a family of devices, a model of it, a hardware version"},
  scCloudUploadFirmware: {"method":"POST","path":"/sc_cloud/uploadFirmware","body":["multipart/form-data"],"summary":"Uploads a file of firmware, which firmware/add then lists"},
  scCloudAddFirmware: {"method":"POST","path":"/sc_cloud/firmware/add","body":["application/json"],"summary":"Lists a file of firmware that was uploaded; 1 where it is listed already"},
  scCloudDevices: {"method":"GET","path":"/sc_cloud/scapi/get-devs","body":[],"summary":"Lists the devices, by cpeid"},
  scCloudDevice: {"method":"GET","path":"/sc_cloud/scapi/get-dev","body":[],"summary":"Shows a device, how far its upgrade is, and how the last has ended"},
  scCloudStartUpgrade: {"method":"POST","path":"/sc_cloud/upgrade/start","body":["application/json"],"summary":"Begins to upgrade devices of one family, model and hardware version"},
  listSessions: {"method":"GET","path":"/v1/sessions","body":[],"summary":"Lists sessions: one's own, and by admins everybody's or another user's"},
  revokeSession: {"method":"DELETE","path":"/v1/sessions/{id}","body":[],"summary":"Ends a session, on all nodes at once: one's own, and by admins anybody's"},
  ownSession: {"method":"GET","path":"/v1/session","body":[],"summary":"Tells a page who is logged in, and its CSRF token"},
  logIn: {"method":"POST","path":"/v1/session","body":["application/json"],"summary":"Logs a page in: begins a session, which a cookie names"},
  logOut: {"method":"DELETE","path":"/v1/session","body":[],"summary":"Logs a page out: ends the session of this cookie, and takes the cookie away"},
  ruleFileSchema: {"method":"GET","path":"/v1/schemas/rule-file.json","body":[],"summary":"The JSON Schema (draft 7) of rule files, for editors"},
  ruleTestSchema: {"method":"GET","path":"/v1/schemas/rule-test.json","body":[],"summary":"The JSON Schema (draft 7) of the tests of rule files, for editors"},
  health: {"method":"GET","path":"/healthz","body":[],"summary":"Tells whether this process can do its work"},
  readiness: {"method":"GET","path":"/readyz","body":[],"summary":"Tells whether CPEs may be sent to this process"},
  liveness: {"method":"GET","path":"/livez","body":[],"summary":"Tells that this process turns"},
  metrics: {"method":"GET","path":"/metrics","body":[],"summary":"Metrics for Prometheus"},
  openapi: {"method":"GET","path":"/v1/openapi.json","body":[],"summary":"This document"},
  firstPage: {"method":"GET","path":"/","body":[],"summary":"A page that leads to everything, for people"},
  pageAsset: {"method":"GET","path":"/pages/{asset}","body":[],"summary":"A file that pages load"},
  logInPage: {"method":"GET","path":"/admin/login/","body":[],"summary":"The page by which people log in"},
  logInByPage: {"method":"POST","path":"/admin/login/","body":["application/x-www-form-urlencoded"],"summary":"Logs in by name and password, and leads on"},
  logOutByPage: {"method":"POST","path":"/admin/logout/","body":["application/x-www-form-urlencoded"],"summary":"Ends the session of this browser, and takes its cookies away"},
  docsPage: {"method":"GET","path":"/api/v1/docs/","body":[],"summary":"A page that shows every call, and tries them"},
  docsAsset: {"method":"GET","path":"/api/v1/docs/{asset}","body":[],"summary":"A file of Swagger UI that this page loads"},
  docsJson: {"method":"GET","path":"/api/v1/docs.json","body":[],"summary":"The OpenAPI document, as /v1/openapi.json has it"},
  docsYaml: {"method":"GET","path":"/api/v1/docs.yaml","body":[],"summary":"The OpenAPI document, as /v1/openapi.json has it"},
  redocPage: {"method":"GET","path":"/api/v1/redoc/","body":[],"summary":"Leads to the page that shows every call"},
  shortDocsPage: {"method":"GET","path":"/v1/doc","body":[],"summary":"Leads to the page that shows every call"},
  swaggerJson: {"method":"GET","path":"/v1/doc/swagger.json","body":[],"summary":"The OpenAPI document, as /v1/openapi.json has it"},
};
