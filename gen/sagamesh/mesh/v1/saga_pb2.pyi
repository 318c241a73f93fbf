import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from sagamesh.mesh.v1 import envelope_pb2 as _envelope_pb2
from sagamesh.mesh.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Saga(_message.Message):
    __slots__ = ("saga_id", "name", "version", "state", "step", "error", "owner", "entity_id", "deadline", "create_time", "update_time", "log")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Saga.State]
        RUNNING: _ClassVar[Saga.State]
        FINISHING: _ClassVar[Saga.State]
        COMPLETED: _ClassVar[Saga.State]
        COMPENSATING: _ClassVar[Saga.State]
        COMPENSATED: _ClassVar[Saga.State]
        STUCK: _ClassVar[Saga.State]
    STATE_UNSPECIFIED: Saga.State
    RUNNING: Saga.State
    FINISHING: Saga.State
    COMPLETED: Saga.State
    COMPENSATING: Saga.State
    COMPENSATED: Saga.State
    STUCK: Saga.State
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    saga_id: str
    name: str
    version: int
    state: Saga.State
    step: str
    error: _status_pb2.Status
    owner: str
    entity_id: str
    deadline: _timestamp_pb2.Timestamp
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    log: _containers.RepeatedCompositeFieldContainer[SagaLogEntry]
    def __init__(self, saga_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[Saga.State, str]] = ..., step: _Optional[str] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., owner: _Optional[str] = ..., entity_id: _Optional[str] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., log: _Optional[_Iterable[_Union[SagaLogEntry, _Mapping]]] = ...) -> None: ...

class SagaLogEntry(_message.Message):
    __slots__ = ("step", "direction", "kind", "error", "time")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[SagaLogEntry.Kind]
        SENT: _ClassVar[SagaLogEntry.Kind]
        OK: _ClassVar[SagaLogEntry.Kind]
        REJECTED: _ClassVar[SagaLogEntry.Kind]
        RETRIED: _ClassVar[SagaLogEntry.Kind]
        EXHAUSTED: _ClassVar[SagaLogEntry.Kind]
        DEADLINE: _ClassVar[SagaLogEntry.Kind]
        REDRIVEN: _ClassVar[SagaLogEntry.Kind]
    KIND_UNSPECIFIED: SagaLogEntry.Kind
    SENT: SagaLogEntry.Kind
    OK: SagaLogEntry.Kind
    REJECTED: SagaLogEntry.Kind
    RETRIED: SagaLogEntry.Kind
    EXHAUSTED: SagaLogEntry.Kind
    DEADLINE: SagaLogEntry.Kind
    REDRIVEN: SagaLogEntry.Kind
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    step: str
    direction: _envelope_pb2.SagaStep.Direction
    kind: SagaLogEntry.Kind
    error: _status_pb2.Status
    time: _timestamp_pb2.Timestamp
    def __init__(self, step: _Optional[str] = ..., direction: _Optional[_Union[_envelope_pb2.SagaStep.Direction, str]] = ..., kind: _Optional[_Union[SagaLogEntry.Kind, str]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetSagaRequest(_message.Message):
    __slots__ = ("saga_id",)
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    saga_id: str
    def __init__(self, saga_id: _Optional[str] = ...) -> None: ...

class ListSagasRequest(_message.Message):
    __slots__ = ("state", "entity_id", "page_size", "page_token")
    STATE_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    state: Saga.State
    entity_id: str
    page_size: int
    page_token: str
    def __init__(self, state: _Optional[_Union[Saga.State, str]] = ..., entity_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSagasResponse(_message.Message):
    __slots__ = ("sagas", "next_page_token")
    SAGAS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sagas: _containers.RepeatedCompositeFieldContainer[Saga]
    next_page_token: str
    def __init__(self, sagas: _Optional[_Iterable[_Union[Saga, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
