"""Upgrades CPEs by the package that openapi-python-client has made of Ferry's document, and prints what came of it as JSON.

Usage: upgrade.py DIRECTORY_OF_THE_PACKAGE URL TOKEN IMAGE VERSION CPEID_BY_RULE CPEID_BY_BATCH
"""

import json
import sys
import time

directory, url, token, image, version, by_rule, by_batch = sys.argv[1:]
sys.path.insert(0, directory)

from ferry_client import AuthenticatedClient
from ferry_client.api.batches import get_batch, list_batch_operations, make_batch
from ferry_client.api.firmware_result_storage import list_results
from ferry_client.api.firmware_storage import put_rules
from ferry_client.api.method import send_connection_request
from ferry_client.models import (
    ListResultsField,
    MakeBatchJsonBody,
    Rule,
    RuleConditionType1,
    RuleTarget,
    SendConnectionRequestBody,
    SendConnectionRequestBodySearchOptions,
)

SECONDS_MAX = 60


def until(what, read):
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        found = read()
        if found is not None:
            return found
        time.sleep(0.1)
    raise TimeoutError(what)


def upgrade_by_rule(client):
    condition = RuleConditionType1.from_dict({"cpeid": by_rule})
    rule = Rule(id="BY_PYTHON", file=image, condition=condition, target=RuleTarget(software_version=version))
    stored = put_rules.sync(".*", client=client, body=rule)
    options = SendConnectionRequestBodySearchOptions.from_dict({"cpe_id": by_rule})
    asked = send_connection_request.sync(client=client, body=SendConnectionRequestBody(search_options=options))
    selected = ListResultsField.from_dict({"cpeid": by_rule, "status": "true"})

    def ended():
        answer = list_results.sync(".*", client=client, field=selected)
        return answer.details[0] if answer.code == 200 else None

    result = until("the rule's upgrade has ended", ended)
    return {
        "stored": stored.code,
        "asked": asked.to_dict()["result"]["code"],
        "campaignid": result.campaignid,
        "code": int(result.result.code),
        "message": result.result.message,
    }


def upgrade_by_batch(client):
    made = make_batch.sync(client=client, body=MakeBatchJsonBody(name="by Python", image=image, cpeids=[by_batch]))
    batch = made.details.id

    def ended():
        operation = list_batch_operations.sync(batch, client=client).details[0]
        return operation if operation.state not in ("pending", "running") else None

    operation = until("the batch's upgrade has ended", ended)
    return {
        "made": made.code,
        "cpeid": operation.cpeid,
        "state": str(operation.state),
        "counted": get_batch.sync(batch, client=client).details.progress.to_dict()["verified"],
    }


with AuthenticatedClient(base_url=url, token=token) as client:
    print(json.dumps({"rule": upgrade_by_rule(client), "batch": upgrade_by_batch(client)}))
