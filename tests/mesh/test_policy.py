"""The policy options of rpcs, read from descriptors."""

import grpc
import pytest
from sagamesh.line_provider.v1 import event_pb2
from sagamesh.mesh.v1 import inbox_pb2, maintenance_pb2, outbox_pb2, policy_pb2, saga_pb2
from sagamesh.score_maker.v1 import score_pb2

from mesh.call import ANONYMOUS, Principal
from mesh.policy import Access, Cardinality, MethodPolicy, PolicyMissing, policies_of
from tests.mesh.echo import compiled

ALICE = Principal("user:alice")
MANAGER = Principal("user:bob", frozenset({"manager"}))
WORKER = Principal("service:arq_worker")
NAMED_LIKE_THE_WORKER = Principal("user:arq_worker")
ROLES_OF_A_SERVICE = Principal("service:other", frozenset({"manager"}))


def test_a_policy_is_read_whole() -> None:
    policies = policies_of([outbox_pb2.DESCRIPTOR.services_by_name["OutboxService"]])
    assert policies["/sagamesh.mesh.v1.OutboxService/Pull"] == MethodPolicy(
        access=Access(services=frozenset({"arq_worker"})),
        cardinality=Cardinality.UNARY_UNARY,
        default_deadline=15.0,
        idempotency=policy_pb2.IDEMPOTENT,
        long_poll=True,
    )
    assert policies["/sagamesh.mesh.v1.OutboxService/Settle"].retryable == (grpc.StatusCode.UNAVAILABLE,)


def test_a_stream_without_a_deadline_waits() -> None:
    policies = policies_of([event_pb2.DESCRIPTOR.services_by_name["EventService"]])
    watch = policies["/sagamesh.line_provider.v1.EventService/WatchEvent"]
    assert watch.cardinality is Cardinality.UNARY_STREAM
    assert watch.default_deadline is None
    assert watch.waits
    assert not policies["/sagamesh.line_provider.v1.EventService/GetEvent"].waits


def test_every_rpc_of_the_contracts_has_a_policy_that_says_what_a_repetition_does() -> None:
    files = [module.DESCRIPTOR for module in (event_pb2, score_pb2, outbox_pb2, inbox_pb2, saga_pb2, maintenance_pb2)]
    policies = policies_of([service for file in files for service in file.services_by_name.values()])
    assert [path for path, policy in policies.items() if policy.idempotency == 0] == []


def test_an_rpc_without_a_policy_is_named() -> None:
    text = """
        syntax = "proto3";
        package sagamesh.lawless.v1;
        message Nothing {}
        service LawlessService { rpc Do(Nothing) returns (Nothing); }
    """
    with pytest.raises(PolicyMissing, match=r"sagamesh\.lawless\.v1\.LawlessService\.Do"):
        policies_of([compiled(text, "lawless.proto").services_by_name["LawlessService"]])


@pytest.mark.parametrize(
    ("access", "admitted"),
    [
        (Access(), []),
        (Access(anonymous=True), [ANONYMOUS, ALICE, NAMED_LIKE_THE_WORKER, MANAGER, WORKER, ROLES_OF_A_SERVICE]),
        (Access(user=True), [ALICE, NAMED_LIKE_THE_WORKER, MANAGER]),
        (Access(roles=frozenset({"manager"})), [MANAGER]),
        (Access(services=frozenset({"arq_worker"})), [WORKER]),
        (Access(roles=frozenset({"manager"}), services=frozenset({"arq_worker"})), [MANAGER, WORKER]),
    ],
)
def test_access_admits_exactly_whom_it_names(access: Access, admitted: list[Principal]) -> None:
    everybody = [ANONYMOUS, ALICE, NAMED_LIKE_THE_WORKER, MANAGER, WORKER, ROLES_OF_A_SERVICE]
    assert [principal for principal in everybody if access.admits(principal)] == admitted
