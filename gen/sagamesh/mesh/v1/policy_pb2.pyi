import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import code_pb2 as _code_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Idempotency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDEMPOTENCY_UNSPECIFIED: _ClassVar[Idempotency]
    READ_ONLY: _ClassVar[Idempotency]
    IDEMPOTENT: _ClassVar[Idempotency]
    REQUEST_ID: _ClassVar[Idempotency]
    NON_IDEMPOTENT: _ClassVar[Idempotency]
IDEMPOTENCY_UNSPECIFIED: Idempotency
READ_ONLY: Idempotency
IDEMPOTENT: Idempotency
REQUEST_ID: Idempotency
NON_IDEMPOTENT: Idempotency
POLICY_FIELD_NUMBER: _ClassVar[int]
policy: _descriptor.FieldDescriptor

class Policy(_message.Message):
    __slots__ = ("access", "default_deadline", "idempotency", "retryable", "alias", "location", "long_poll")
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    LONG_POLL_FIELD_NUMBER: _ClassVar[int]
    access: Access
    default_deadline: _duration_pb2.Duration
    idempotency: Idempotency
    retryable: _containers.RepeatedScalarFieldContainer[_code_pb2.Code]
    alias: _containers.RepeatedScalarFieldContainer[str]
    location: str
    long_poll: bool
    def __init__(self, access: _Optional[_Union[Access, _Mapping]] = ..., default_deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., idempotency: _Optional[_Union[Idempotency, str]] = ..., retryable: _Optional[_Iterable[_Union[_code_pb2.Code, str]]] = ..., alias: _Optional[_Iterable[str]] = ..., location: _Optional[str] = ..., long_poll: _Optional[bool] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("anonymous", "user", "roles", "services")
    ANONYMOUS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    anonymous: bool
    user: bool
    roles: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, anonymous: _Optional[bool] = ..., user: _Optional[bool] = ..., roles: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ...) -> None: ...
