import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from sagamesh.mesh.v1 import envelope_pb2 as _envelope_pb2
from sagamesh.mesh.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PullRequest(_message.Message):
    __slots__ = ("owner", "max_envelopes", "wait", "in_flight", "skip_destinations", "leaving")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    MAX_ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    SKIP_DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    LEAVING_FIELD_NUMBER: _ClassVar[int]
    owner: str
    max_envelopes: int
    wait: _duration_pb2.Duration
    in_flight: _containers.RepeatedScalarFieldContainer[str]
    skip_destinations: _containers.RepeatedScalarFieldContainer[str]
    leaving: bool
    def __init__(self, owner: _Optional[str] = ..., max_envelopes: _Optional[int] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., in_flight: _Optional[_Iterable[str]] = ..., skip_destinations: _Optional[_Iterable[str]] = ..., leaving: _Optional[bool] = ...) -> None: ...

class PullResponse(_message.Message):
    __slots__ = ("envelopes", "leased_buckets", "lease_remaining")
    ENVELOPES_FIELD_NUMBER: _ClassVar[int]
    LEASED_BUCKETS_FIELD_NUMBER: _ClassVar[int]
    LEASE_REMAINING_FIELD_NUMBER: _ClassVar[int]
    envelopes: _containers.RepeatedCompositeFieldContainer[LeasedEnvelope]
    leased_buckets: int
    lease_remaining: _duration_pb2.Duration
    def __init__(self, envelopes: _Optional[_Iterable[_Union[LeasedEnvelope, _Mapping]]] = ..., leased_buckets: _Optional[int] = ..., lease_remaining: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class LeasedEnvelope(_message.Message):
    __slots__ = ("envelope", "epoch", "attempts")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    envelope: _envelope_pb2.Envelope
    epoch: int
    attempts: int
    def __init__(self, envelope: _Optional[_Union[_envelope_pb2.Envelope, _Mapping]] = ..., epoch: _Optional[int] = ..., attempts: _Optional[int] = ...) -> None: ...

class SettleRequest(_message.Message):
    __slots__ = ("owner", "settlements")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENTS_FIELD_NUMBER: _ClassVar[int]
    owner: str
    settlements: _containers.RepeatedCompositeFieldContainer[Settlement]
    def __init__(self, owner: _Optional[str] = ..., settlements: _Optional[_Iterable[_Union[Settlement, _Mapping]]] = ...) -> None: ...

class Settlement(_message.Message):
    __slots__ = ("outcome", "epoch")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    outcome: _envelope_pb2.Outcome
    epoch: int
    def __init__(self, outcome: _Optional[_Union[_envelope_pb2.Outcome, _Mapping]] = ..., epoch: _Optional[int] = ...) -> None: ...

class SettleResponse(_message.Message):
    __slots__ = ("ignored", "failed")
    IGNORED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ignored: _containers.RepeatedScalarFieldContainer[str]
    failed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, ignored: _Optional[_Iterable[str]] = ..., failed: _Optional[_Iterable[str]] = ...) -> None: ...

class GetBacklogRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetBacklogResponse(_message.Message):
    __slots__ = ("destinations",)
    DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    destinations: _containers.RepeatedCompositeFieldContainer[DestinationBacklog]
    def __init__(self, destinations: _Optional[_Iterable[_Union[DestinationBacklog, _Mapping]]] = ...) -> None: ...

class DestinationBacklog(_message.Message):
    __slots__ = ("destination", "depth", "oldest_age", "dead_letters", "parked_keys", "paused")
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    OLDEST_AGE_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    PARKED_KEYS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    destination: str
    depth: int
    oldest_age: _duration_pb2.Duration
    dead_letters: int
    parked_keys: int
    paused: bool
    def __init__(self, destination: _Optional[str] = ..., depth: _Optional[int] = ..., oldest_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., dead_letters: _Optional[int] = ..., parked_keys: _Optional[int] = ..., paused: _Optional[bool] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("dead_letters", "next_page_token")
    DEAD_LETTERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dead_letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    next_page_token: str
    def __init__(self, dead_letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("envelope", "error", "attempts", "redrivable", "parked", "dead_time")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REDRIVABLE_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    DEAD_TIME_FIELD_NUMBER: _ClassVar[int]
    envelope: _envelope_pb2.Envelope
    error: _status_pb2.Status
    attempts: int
    redrivable: bool
    parked: bool
    dead_time: _timestamp_pb2.Timestamp
    def __init__(self, envelope: _Optional[_Union[_envelope_pb2.Envelope, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., attempts: _Optional[int] = ..., redrivable: _Optional[bool] = ..., parked: _Optional[bool] = ..., dead_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RedriveRequest(_message.Message):
    __slots__ = ("message_id",)
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    def __init__(self, message_id: _Optional[str] = ...) -> None: ...

class RedriveResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PauseDestinationRequest(_message.Message):
    __slots__ = ("destination",)
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    destination: str
    def __init__(self, destination: _Optional[str] = ...) -> None: ...

class PauseDestinationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResumeDestinationRequest(_message.Message):
    __slots__ = ("destination",)
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    destination: str
    def __init__(self, destination: _Optional[str] = ...) -> None: ...

class ResumeDestinationResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
