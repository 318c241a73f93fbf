import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ApplyScore(_message.Message):
    __slots__ = ("score_id", "event_id", "revision", "rate", "submitted_at")
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    event_id: str
    revision: int
    rate: int
    submitted_at: _timestamp_pb2.Timestamp
    def __init__(self, score_id: _Optional[str] = ..., event_id: _Optional[str] = ..., revision: _Optional[int] = ..., rate: _Optional[int] = ..., submitted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RevokeScore(_message.Message):
    __slots__ = ("score_id", "event_id", "revision")
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    event_id: str
    revision: int
    def __init__(self, score_id: _Optional[str] = ..., event_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class WithdrawScore(_message.Message):
    __slots__ = ("score_id", "event_id", "revision", "submitted_at")
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    event_id: str
    revision: int
    submitted_at: _timestamp_pb2.Timestamp
    def __init__(self, score_id: _Optional[str] = ..., event_id: _Optional[str] = ..., revision: _Optional[int] = ..., submitted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RestoreScore(_message.Message):
    __slots__ = ("score_id", "event_id", "revision")
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    event_id: str
    revision: int
    def __init__(self, score_id: _Optional[str] = ..., event_id: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...
