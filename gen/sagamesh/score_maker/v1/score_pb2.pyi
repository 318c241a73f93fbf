import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sagamesh.mesh.v1 import policy_pb2 as _policy_pb2
from sagamesh.mesh.v1 import saga_pb2 as _saga_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Score(_message.Message):
    __slots__ = ("score_id", "event_id", "user_id", "rate", "revision", "status", "reason", "saga_id", "etag", "create_time", "update_time")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Score.Status]
        PENDING: _ClassVar[Score.Status]
        CONFIRMED: _ClassVar[Score.Status]
        REJECTED: _ClassVar[Score.Status]
        WITHDRAWING: _ClassVar[Score.Status]
        WITHDRAWN: _ClassVar[Score.Status]
    STATUS_UNSPECIFIED: Score.Status
    PENDING: Score.Status
    CONFIRMED: Score.Status
    REJECTED: Score.Status
    WITHDRAWING: Score.Status
    WITHDRAWN: Score.Status
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    event_id: str
    user_id: str
    rate: int
    revision: int
    status: Score.Status
    reason: str
    saga_id: str
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, score_id: _Optional[str] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., rate: _Optional[int] = ..., revision: _Optional[int] = ..., status: _Optional[_Union[Score.Status, str]] = ..., reason: _Optional[str] = ..., saga_id: _Optional[str] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SubmitScoreRequest(_message.Message):
    __slots__ = ("event_id", "rate", "request_id")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    rate: int
    request_id: str
    def __init__(self, event_id: _Optional[str] = ..., rate: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetScoreRequest(_message.Message):
    __slots__ = ("score_id",)
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    def __init__(self, score_id: _Optional[str] = ...) -> None: ...

class ListScoresRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "event_id", "user_id")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    event_id: str
    user_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., event_id: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class ListScoresResponse(_message.Message):
    __slots__ = ("scores", "next_page_token")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    scores: _containers.RepeatedCompositeFieldContainer[Score]
    next_page_token: str
    def __init__(self, scores: _Optional[_Iterable[_Union[Score, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WithdrawScoreRequest(_message.Message):
    __slots__ = ("score_id", "etag")
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    etag: str
    def __init__(self, score_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class GetScoreSagaRequest(_message.Message):
    __slots__ = ("score_id",)
    SCORE_ID_FIELD_NUMBER: _ClassVar[int]
    score_id: str
    def __init__(self, score_id: _Optional[str] = ...) -> None: ...
