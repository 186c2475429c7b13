"""Clears sync errors with a client that was generated from docs/openapi.json: what the API's readers do first."""

import sys

from switchyard_client import AuthenticatedClient
from switchyard_client.api.causes import get_group, list_groups, update_group
from switchyard_client.api.operations import begin_operation, get_operation
from switchyard_client.api.organizations import list_orgs
from switchyard_client.api.sync_errors import (
    get_sync_error, ignore_sync_error, list_sync_errors, reopen_sync_error, retry_all, retry_sync_error,
)
from switchyard_client.models import (
    DryRun, GroupChange, Ignore, Operation, OperationFilters, OperationRequest, Problem, SyncErrorState,
)
from switchyard_client.types import UNSET

PAGE = 2


def pages(client, **filters):
    """All that match, page by page."""
    cursor = UNSET
    while True:
        page = list_sync_errors.sync(client=client, limit=PAGE, cursor=cursor, **filters)
        yield from page.sync_errors
        if page.next_cursor is UNSET:
            return
        cursor = page.next_cursor


def main(url, token):
    client = AuthenticatedClient(base_url=url, token=token)
    org = next(org for org in list_orgs.sync(client=client).orgs if org.sync_errors.pending)
    pending = list(pages(client, org=[org.id], state=[SyncErrorState.PENDING]))
    assert len(pending) == org.sync_errors.pending > PAGE, (len(pending), org.sync_errors)
    first, *_ = pending
    whole = get_sync_error.sync(first.id, client=client)
    assert whole.refusal.code == first.refusal.code == "TEAM_NOT_MAPPED" and whole.advice.check, whole

    ignored = ignore_sync_error.sync(first.id, client=client, body=Ignore(reason="a test account"))
    assert (ignored.state, ignored.reason) == (SyncErrorState.IGNORED, "a test account"), ignored
    refused = retry_sync_error.sync(first.id, client=client)
    assert isinstance(refused, Problem) and refused.type_ == "/problems/state" and refused.state == SyncErrorState.IGNORED
    assert reopen_sync_error.sync(first.id, client=client).state == SyncErrorState.PENDING

    [cause] = list_groups.sync(client=client, org=[org.id]).groups
    noted = update_group.sync(cause.id, client=client, body=GroupChange(assignee="ann"))
    assert noted.assignee == get_group.sync(cause.id, client=client).assignee == "ann"
    query = OperationFilters(group=[cause.id])
    would = begin_operation.sync(client=client, body=OperationRequest(task="ignore", query=query, reason="x", dry_run=True))
    assert isinstance(would, DryRun) and would.matched == len(pending), would
    begun = begin_operation.sync(client=client, body=OperationRequest(task="retry", query=query))
    assert isinstance(begun, Operation) and get_operation.sync(begun.id, client=client).id == begun.id, begun
    assert retry_all.sync(org.id, client=client).org == org.id
    print(f"the generated Python client saw {len(pending)} sync errors, and ignored, reopened and retried them")


main(*sys.argv[1:])
