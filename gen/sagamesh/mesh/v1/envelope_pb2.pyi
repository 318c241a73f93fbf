import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Envelope(_message.Message):
    __slots__ = ("message_id", "destination", "type", "payload", "ordering_key", "saga_step", "traceparent", "create_time")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ORDERING_KEY_FIELD_NUMBER: _ClassVar[int]
    SAGA_STEP_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    destination: str
    type: str
    payload: bytes
    ordering_key: str
    saga_step: SagaStep
    traceparent: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, message_id: _Optional[str] = ..., destination: _Optional[str] = ..., type: _Optional[str] = ..., payload: _Optional[bytes] = ..., ordering_key: _Optional[str] = ..., saga_step: _Optional[_Union[SagaStep, _Mapping]] = ..., traceparent: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SagaStep(_message.Message):
    __slots__ = ("saga_id", "step", "direction")
    class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DIRECTION_UNSPECIFIED: _ClassVar[SagaStep.Direction]
        DO: _ClassVar[SagaStep.Direction]
        UNDO: _ClassVar[SagaStep.Direction]
        FINISH: _ClassVar[SagaStep.Direction]
    DIRECTION_UNSPECIFIED: SagaStep.Direction
    DO: SagaStep.Direction
    UNDO: SagaStep.Direction
    FINISH: SagaStep.Direction
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    saga_id: str
    step: str
    direction: SagaStep.Direction
    def __init__(self, saga_id: _Optional[str] = ..., step: _Optional[str] = ..., direction: _Optional[_Union[SagaStep.Direction, str]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("message_id", "code", "reply", "error")
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CODE_UNSPECIFIED: _ClassVar[Outcome.Code]
        OK: _ClassVar[Outcome.Code]
        REJECT: _ClassVar[Outcome.Code]
        RETRY: _ClassVar[Outcome.Code]
        NOT_RUN: _ClassVar[Outcome.Code]
        UNKNOWN_DESTINATION: _ClassVar[Outcome.Code]
    CODE_UNSPECIFIED: Outcome.Code
    OK: Outcome.Code
    REJECT: Outcome.Code
    RETRY: Outcome.Code
    NOT_RUN: Outcome.Code
    UNKNOWN_DESTINATION: Outcome.Code
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    code: Outcome.Code
    reply: _any_pb2.Any
    error: _status_pb2.Status
    def __init__(self, message_id: _Optional[str] = ..., code: _Optional[_Union[Outcome.Code, str]] = ..., reply: _Optional[_Union[_any_pb2.Any, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...
