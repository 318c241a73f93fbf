"""The generated sections of README.md follow the contracts and the stack's services."""

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from sagamesh.mesh.v1 import policy_pb2

from stack.services import SERVICES
from tools.readme import README, Rpc, first_sentence, rpcs, services_table
from tools.sections import ROOT


def image() -> FileDescriptorSet:
    return FileDescriptorSet.FromString((ROOT / "gen" / "sagamesh.binpb").read_bytes())


def rpc(name: str) -> Rpc:
    return next(rpc for rpc in rpcs(image()) if rpc.method.name == name)


def test_the_sections_in_the_tree_are_up_to_date() -> None:
    assert README.stale() == []


def test_every_service_is_listed() -> None:
    assert all(f"| `{service.name}` |" in services_table() for service in SERVICES)


def test_every_rpc_of_ours_is_listed_and_nobody_elses() -> None:
    ours = {
        f"{file.package}.{service.name}.{method.name}"
        for file in image().file
        if file.package.startswith("sagamesh.")
        for service in file.service
        for method in service.method
    }

    assert {f"{rpc.package}.{rpc.service}.{rpc.method.name}" for rpc in rpcs(image())} == ours


def test_an_rpc_shows_its_rest_forms_its_callers_and_what_a_repetition_does() -> None:
    assert rpc("SubmitScore").row == (
        "SubmitScore",
        "`POST /v1/events/{event_id}/scores`<br>`POST /events/{event_id}/score`",
        "any user",
        "no further effect with `request_id`",
        "Scores an event, or changes the caller's score of it.",
    )


def test_a_stream_says_so_and_may_be_public() -> None:
    name, _, callers, repeated, _ = rpc("WatchEvent").row

    assert (name, callers, repeated) == ("WatchEvent (stream)", "anybody", "reads")


def test_an_rpc_without_a_rest_form_is_grpc_only_and_names_the_services_that_may_call() -> None:
    _, rest, callers, _, _ = rpc("Deliver").row

    assert (rest, callers) == ("gRPC only", "`service:arq_worker`")


def test_an_alias_takes_the_verb_of_the_first_form() -> None:
    changed = rpc("CreateEvent")
    changed.method.options.Extensions[policy_pb2.policy].alias.append("/make-event/")  # pyright: ignore

    assert changed.row[1] == "`POST /v1/events`<br>`POST /make-event/`"


def test_a_change_of_a_contract_makes_the_section_old() -> None:
    changed = rpc("GetEvent")
    before = changed.row
    changed.method.options.Extensions[annotations_pb2.http].get = "/v2/events/{event_id}"  # pyright: ignore

    assert changed.row != before


def test_a_sentence_ends_at_its_period_and_stays_on_one_line() -> None:
    assert first_sentence(" Streams an\n event: e.g. now. Then more.\n") == "Streams an event: e.g. now."
