"""The well-known types, both ways."""

from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.tables.json_in import reads, rejects
from tests.gateway.conformance.tables.json_out import writes

TIME, DURATION, MASK = "ProtoJSON: Timestamp", "ProtoJSON: Duration", "ProtoJSON: FieldMask"
STRUCT, WRAPPERS, ANY, EMPTY = (
    "ProtoJSON: Struct and Value",
    "ProtoJSON: wrappers",
    "ProtoJSON: Any",
    "ProtoJSON: Empty",
)
_TYPE = "type.googleapis.com"


def times(seconds: int, nanos: int = 0) -> str:
    return f"time {{ seconds: {seconds} nanos: {nanos} }}"


def durations(seconds: int, nanos: int = 0) -> str:
    return f"duration {{ seconds: {seconds} nanos: {nanos} }}"


_TIMES: tuple[Case, ...] = (
    reads("in UTC", TIME, '{"time":"2017-01-15T01:30:15.01Z"}', times(1484443815, 10_000_000)),
    reads("with an offset", TIME, '{"time":"1970-01-01T01:30:00+01:30"}', times(0)),
    reads("with an offset below 0", TIME, '{"time":"1969-12-31T16:00:00-08:00"}', times(0)),
    reads("of nine digits", TIME, '{"time":"1970-01-01T00:00:00.123456789Z"}', times(0, 123_456_789)),
    reads("before the epoch", TIME, '{"time":"1969-12-31T23:59:59.5Z"}', times(-1, 500_000_000)),
    reads("the first", TIME, '{"time":"0001-01-01T00:00:00Z"}', times(-62135596800)),
    reads("the last", TIME, '{"time":"9999-12-31T23:59:59.999999999Z"}', times(253402300799, 999_999_999)),
    reads("a leap day", TIME, '{"time":"2024-02-29T00:00:00Z"}', times(1709164800)),
    rejects("before the first", TIME, '{"time":"0000-01-01T00:00:00Z"}', "time"),
    rejects("before the first by its offset", TIME, '{"time":"0001-01-01T00:00:00+01:00"}', "time"),
    rejects("after the last", TIME, '{"time":"9999-12-31T23:59:59-01:00"}', "time"),
    rejects("without an offset", TIME, '{"time":"1970-01-01T00:00:00"}', "time"),
    rejects("a small t", TIME, '{"time":"1970-01-01t00:00:00Z"}', "time"),
    rejects("a small z", TIME, '{"time":"1970-01-01T00:00:00z"}', "time"),
    rejects("a space", TIME, '{"time":"1970-01-01 00:00:00Z"}', "time"),
    rejects("no such day", TIME, '{"time":"2026-02-29T00:00:00Z"}', "time"),
    rejects("ten digits", TIME, '{"time":"1970-01-01T00:00:00.1234567890Z"}', "time"),
    rejects("seconds since the epoch", TIME, '{"time":0}', "time"),
    rejects("one of a list", TIME, '{"times":["1970-01-01T00:00:00Z","now"]}', "times[1]"),
    writes("no digits", TIME, times(0), '{"time":"1970-01-01T00:00:00Z"}'),
    writes("three digits", TIME, times(0, 10_000_000), '{"time":"1970-01-01T00:00:00.010Z"}'),
    writes("six digits", TIME, times(0, 10_000), '{"time":"1970-01-01T00:00:00.000010Z"}'),
    writes("nine digits", TIME, times(0, 10), '{"time":"1970-01-01T00:00:00.000000010Z"}'),
    writes(
        "the limits",
        TIME,
        "times { seconds: -62135596800 } times { seconds: 253402300799 nanos: 999999999 }",
        '{"times":["0001-01-01T00:00:00Z","9999-12-31T23:59:59.999999999Z"]}',
    ),
)
_DURATIONS: tuple[Case, ...] = (
    reads("a fraction", DURATION, '{"duration":"1.5s"}', durations(1, 500_000_000)),
    reads("below 0", DURATION, '{"duration":"-0.5s"}', durations(0, -500_000_000)),
    reads("below 0 with both parts", DURATION, '{"duration":"-1.000001s"}', durations(-1, -1_000)),
    reads("nine digits of it", DURATION, '{"duration":"0.123456789s"}', durations(0, 123_456_789)),
    reads("the longest", DURATION, '{"duration":"315576000000s"}', durations(315_576_000_000)),
    reads("the longest below 0", DURATION, '{"duration":"-315576000000s"}', durations(-315_576_000_000)),
    rejects("too long", DURATION, '{"duration":"315576000001s"}', "duration"),
    rejects("without its unit", DURATION, '{"duration":"1"}', "duration"),
    rejects("of another unit", DURATION, '{"duration":"1m"}', "duration"),
    rejects("ten digits of it", DURATION, '{"duration":"0.1234567890s"}', "duration"),
    rejects("a number", DURATION, '{"duration":1.5}', "duration"),
    rejects("of a weekday", DURATION, '{"duration":"tuesday"}', "duration"),
    writes("without a fraction", DURATION, durations(3), '{"duration":"3s"}'),
    writes("of milliseconds", DURATION, durations(3, 1_000_000), '{"duration":"3.001s"}'),
    writes("of microseconds", DURATION, durations(3, 1_000), '{"duration":"3.000001s"}'),
    writes("of nanoseconds", DURATION, durations(3, 1), '{"duration":"3.000000001s"}'),
    writes("a half below 0", DURATION, durations(0, -500_000_000), '{"duration":"-0.500s"}'),
)
_MASKS: tuple[Case, ...] = (
    reads("a path", MASK, '{"mask":"text"}', 'mask { paths: "text" }'),
    reads(
        "paths in camelCase", MASK, '{"mask":"fooBar,held.anInt32"}', 'mask { paths: "foo_bar" paths: "held.an_int32" }'
    ),
    reads("no path", MASK, '{"mask":""}', "mask {}"),
    rejects("an original name", MASK, '{"mask":"foo_bar"}', "mask"),
    rejects("a list", MASK, '{"mask":["text"]}', "mask"),
    rejects("a path of nothing", MASK, '{"mask":"text,,shade"}', "mask"),
    rejects("a path with a space", MASK, '{"mask":"te xt"}', "mask"),
    writes(
        "becomes camelCase", MASK, 'mask { paths: "foo_bar" paths: "held.an_int32" }', '{"mask":"fooBar,held.anInt32"}'
    ),
)
_STRUCTS: tuple[Case, ...] = (
    reads(
        "an object",
        STRUCT,
        '{"struct":{"a":[1,"b",true,null,{}]}}',
        'struct { fields { key: "a" value { list_value { values { number_value: 1 } values { string_value: "b" } '
        "values { bool_value: true } values { null_value: NULL_VALUE } values { struct_value {} } } } } }",
    ),
    reads("a list", STRUCT, '{"list":[1,[]]}', "list { values { number_value: 1 } values { list_value {} } }"),
    reads(
        "any value",
        STRUCT,
        '{"values":[false,0,"",{},[]]}',
        'values { bool_value: false } values { number_value: 0 } values { string_value: "" } '
        "values { struct_value {} } values { list_value {} }",
    ),
    rejects("a list for an object", STRUCT, '{"struct":[]}', "struct"),
    rejects("an object for a list", STRUCT, '{"list":{}}', "list"),
    rejects("a number beyond a double", STRUCT, '{"value":1e400}', "value"),
    rejects("one such deeper", STRUCT, '{"struct":{"a":[1e999]}}', "struct"),
    writes(
        "an object out",
        STRUCT,
        'struct { fields { key: "a" value { list_value { values { number_value: 1.5 } values { null_value: '
        "NULL_VALUE } } } } }",
        '{"struct":{"a":[1.5,null]}}',
    ),
    writes("null out", STRUCT, "value { null_value: NULL_VALUE } null: NULL_VALUE", '{"value":null}'),
    writes("a NullValue with presence", "ProtoJSON: NullValue", "nothing: NULL_VALUE", '{"nothing":null}'),
    reads("a NullValue by name", "ProtoJSON: NullValue", '{"nothing":"NULL_VALUE"}', "nothing: NULL_VALUE"),
)
_WRAPPED: tuple[Case, ...] = (
    reads(
        "are their values",
        WRAPPERS,
        '{"wrappedInt32":1,"wrappedUint32":2,"wrappedInt64":"3","wrappedUint64":4,"wrappedDouble":0.5,'
        '"wrappedBool":true,"wrappedString":"a","wrappedBytes":"AA=="}',
        "wrapped_int32 { value: 1 } wrapped_uint32 { value: 2 } wrapped_int64 { value: 3 } "
        "wrapped_uint64 { value: 4 } wrapped_double { value: 0.5 } wrapped_bool { value: true } "
        r'wrapped_string { value: "a" } wrapped_bytes { value: "\000" }',
    ),
    reads(
        "of defaults are there",
        WRAPPERS,
        '{"wrappedInt32":0,"wrappedBool":false,"wrappedString":""}',
        "wrapped_int32 {} wrapped_bool {} wrapped_string {}",
    ),
    rejects("of another kind", WRAPPERS, '{"wrappedBool":1}', "wrappedBool"),
    rejects("are no objects", WRAPPERS, '{"wrappedInt32":{"value":1}}', "wrappedInt32"),
    rejects("have their limits", WRAPPERS, '{"wrappedUint32":-1}', "wrappedUint32"),
    rejects("no underscores either", WRAPPERS, '{"wrappedInt64s":["1","1_0"]}', "wrappedInt64s[1]"),
    rejects("null in a list of wrappers", WRAPPERS, '{"wrappedInt64s":[null]}', "wrappedInt64s[0]"),
    writes(
        "out",
        WRAPPERS,
        "wrapped_int64 { value: 3 } wrapped_bool {} wrapped_string {} wrapped_float { value: nan }",
        '{"wrappedFloat":"NaN","wrappedInt64":"3","wrappedBool":false,"wrappedString":""}',
    ),
)
_ANYS: tuple[Case, ...] = (
    reads(
        "a message",
        ANY,
        f'{{"any":{{"@type":"{_TYPE}/test.conformance.v1.Place","name":"a"}}}}',
        f'any {{ [{_TYPE}/test.conformance.v1.Place] {{ name: "a" }} }}',
    ),
    reads(
        "its type at the end",
        ANY,
        f'{{"any":{{"name":"a","@type":"{_TYPE}/test.conformance.v1.Place"}}}}',
        f'any {{ [{_TYPE}/test.conformance.v1.Place] {{ name: "a" }} }}',
    ),
    reads(
        "a well-known type",
        ANY,
        f'{{"any":{{"@type":"{_TYPE}/google.protobuf.Duration","value":"1.5s"}}}}',
        f"any {{ [{_TYPE}/google.protobuf.Duration] {{ seconds: 1 nanos: 500000000 }} }}",
    ),
    reads(
        "an Any",
        ANY,
        f'{{"any":{{"@type":"{_TYPE}/google.protobuf.Any","value":{{"@type":"{_TYPE}/google.protobuf.Int64Value",'
        '"value":"5"}}}',
        f"any {{ [{_TYPE}/google.protobuf.Any] {{ [{_TYPE}/google.protobuf.Int64Value] {{ value: 5 }} }} }}",
    ),
    reads("of nothing", ANY, '{"any":{}}', "any {}"),
    rejects("an unknown type", ANY, f'{{"any":{{"@type":"{_TYPE}/else.Where"}}}}', "any"),
    rejects("a type of another kind", ANY, '{"any":{"@type":5}}', "any"),
    rejects("no type", ANY, '{"any":{"name":"a"}}', "any"),
    rejects("an unknown field", ANY, f'{{"any":{{"@type":"{_TYPE}/test.conformance.v1.Place","nope":1}}}}', "any.nope"),
    writes(
        "a message out",
        ANY,
        f'any {{ [{_TYPE}/test.conformance.v1.Place] {{ name: "a" }} }}',
        f'{{"any":{{"@type":"{_TYPE}/test.conformance.v1.Place","name":"a"}}}}',
    ),
    writes(
        "a well-known type out",
        ANY,
        f"any {{ [{_TYPE}/google.protobuf.Duration] {{ seconds: 1 }} }}",
        f'{{"any":{{"@type":"{_TYPE}/google.protobuf.Duration","value":"1s"}}}}',
    ),
    reads("an empty object", EMPTY, '{"empty":{}}', "empty {}"),
    rejects("a member of what is empty", EMPTY, '{"empty":{"a":1}}', "empty.a"),
    writes("of nothing out", EMPTY, "empty {}", '{"empty":{}}'),
)

CASES: tuple[Case, ...] = (*_TIMES, *_DURATIONS, *_MASKS, *_STRUCTS, *_WRAPPED, *_ANYS)
