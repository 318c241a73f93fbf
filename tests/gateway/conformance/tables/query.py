"""Query parameters: http.proto says which fields they are, ProtoJSON how their values are written."""

from tests.gateway.conformance.cases import Case, get, refuses, takes

NAMES, REPEATED, NESTED = (
    "gateway.md: query spellings",
    "http.proto: repeated parameters",
    "http.proto: nested parameters",
)
MAPS, UNKNOWN = "gateway.md: query maps", "gateway.md: unknown query parameters"


def binds(id: str, source: str, query: str, received: str) -> Case:
    """A query that becomes this message."""
    return takes(id, source, get(f"/query?{query}"), f"Echo({received})")


def rejects(id: str, source: str, query: str, reason: str = "INVALID_PARAMETER", field: str | None = None) -> Case:
    """A query that is refused by the name of its last parameter."""
    name = field or query.rpartition("&")[2].partition("=")[0]
    return refuses(id, source, get(f"/query?{query}"), reason, name)


CASES: tuple[Case, ...] = (
    binds("original names", NAMES, "an_int32=1&some_bytes=AA", r'an_int32: 1 some_bytes: "\000"'),
    binds("lowerCamelCase", NAMES, "anInt32=1&someBytes=AA", r'an_int32: 1 some_bytes: "\000"'),
    binds("json_name", "ProtoJSON: json_name", "otherName=x", 'renamed: "x"'),
    binds("the original name of such a field", "ProtoJSON: json_name", "renamed=x", 'renamed: "x"'),
    binds("an empty text is the default", "http.proto: query", "text=", ""),
    binds("a parameter without =", "WHATWG URL: query", "text", ""),
    binds("negative", "ProtoJSON: int32", "an_int32=-2147483648", "an_int32: -2147483648"),
    binds("the largest int64", "ProtoJSON: int64", "an_int64=9223372036854775807", "an_int64: 9223372036854775807"),
    binds("the largest uint64", "ProtoJSON: int64", "a_uint64=18446744073709551615", "a_uint64: 18446744073709551615"),
    binds(
        "sint and fixed",
        "ProtoJSON: int32",
        "a_sint32=-1&a_fixed32=4294967295&a_sfixed64=-1",
        "a_sint32: -1 a_fixed32: 4294967295 a_sfixed64: -1",
    ),
    binds("floats", "ProtoJSON: float", "a_float=0.5&a_double=-1.5e-3", "a_float: 0.5 a_double: -0.0015"),
    binds("NaN", "ProtoJSON: float", "a_double=NaN", "a_double: nan"),
    binds("infinities", "ProtoJSON: float", "a_float=Infinity&a_double=-Infinity", "a_float: inf a_double: -inf"),
    binds("the largest float", "ProtoJSON: float", "a_float=3.4028235e%2B38", "a_float: 3.4028235e+38"),
    binds("true", "ProtoJSON: bool", "a_bool=true", "a_bool: true"),
    binds("false", "ProtoJSON: bool", "maybe_bool=false", "maybe_bool: false"),
    binds("base64url without padding", "ProtoJSON: bytes", "some_bytes=-_8", r'some_bytes: "\373\377"'),
    binds("base64 with padding", "ProtoJSON: bytes", "some_bytes=%2B/8%3D", r'some_bytes: "\373\377"'),
    binds("an enum by name", "gateway.md: query enums", "shade=DARK", "shade: DARK"),
    binds("an enum by number", "gateway.md: query enums", "shade=1", "shade: LIGHT"),
    binds("an enum's unknown number", "ProtoJSON: enum", "shade=77", "shade: 77"),
    binds("texts", REPEATED, "texts=A&texts=B", 'texts: "A" texts: "B"'),
    binds("numbers, in their order", REPEATED, "numbers=3&text=x&numbers=1", 'text: "x" numbers: 3 numbers: 1'),
    binds("enums", REPEATED, "shades=DARK&shades=1", "shades: DARK shades: LIGHT"),
    binds("commas do not separate", REPEATED, "texts=a,b", 'texts: "a,b"'),
    binds(
        "wrappers",
        REPEATED,
        "wrapped_int64s=1&wrapped_int64s=2",
        "wrapped_int64s { value: 1 } wrapped_int64s { value: 2 }",
    ),
    binds(
        "foo.a=A&foo.b=B",
        NESTED,
        "held.text=A&held.an_int32=2&held.a_bool=true",
        'held { text: "A" an_int32: 2 a_bool: true }',
    ),
    binds("deeper, in mixed spellings", NESTED, "held.held.anInt32=2", "held { held { an_int32: 2 } }"),
    binds("repeated below a message", NESTED, "held.texts=a&held.texts=b", 'held { texts: "a" texts: "b" }'),
    binds("a field with presence", "protobuf: presence", "maybe_text=&maybe_int32=0", 'maybe_text: "" maybe_int32: 0'),
    binds("a member of a oneof", "protobuf: oneof", "right=0", "right: 0"),
    binds("below a message of a oneof", "protobuf: oneof", "middle.text=x", 'middle { text: "x" }'),
    binds("a time", "ProtoJSON: Timestamp", "time=1970-01-01T01:00:00.5%2B01:00", "time { nanos: 500000000 }"),
    binds("a duration", "ProtoJSON: Duration", "duration=1.5s", "duration { seconds: 1 nanos: 500000000 }"),
    binds("a mask", "ProtoJSON: FieldMask", "mask=anInt32,held.text", 'mask { paths: "an_int32" paths: "held.text" }'),
    binds(
        "a mask as the AIPs write it",
        "AIP-157: read_mask",
        "mask=an_int32,held.text",
        'mask { paths: "an_int32" paths: "held.text" }',
    ),
    binds(
        "wrappers of every kind",
        "ProtoJSON: wrappers",
        "wrapped_string=&wrapped_bool=false&wrapped_uint64=5&wrapped_double=1.5&wrapped_bytes=AA",
        r"wrapped_uint64 { value: 5 } wrapped_double { value: 1.5 } wrapped_bool {} wrapped_string {} "
        r'wrapped_bytes { value: "\000" }',
    ),
    binds("an entry", MAPS, "labels[en]=one", 'labels { key: "en" value: "one" }'),
    binds("encoded brackets", MAPS, "labels%5Ben%5D=one", 'labels { key: "en" value: "one" }'),
    binds(
        "two entries", MAPS, "labels[a]=1&labels[b]=2", 'labels { key: "a" value: "1" } labels { key: "b" value: "2" }'
    ),
    binds("any key", MAPS, "labels[a.b%5Bc%5D]=x", 'labels { key: "a.b[c]" value: "x" }'),
    binds("integer keys", MAPS, "by_int32[-1]=x", 'by_int32 { key: -1 value: "x" }'),
    binds("boolean keys, enum values", MAPS, "by_bool[true]=DARK", "by_bool { key: true value: DARK }"),
    binds("below a message", MAPS, "held.counts[a]=5", 'held { counts { key: "a" value: 5 } }'),
    rejects("no key of this kind", MAPS, "by_bool[maybe]=DARK"),
    rejects("a key out of range", MAPS, "by_int32[2147483648]=x"),
    rejects("an entry twice", MAPS, "labels[a]=1&labels[a]=2"),
    rejects("a map without a key", MAPS, "labels=1", "UNKNOWN_PARAMETER"),
    rejects("a key of what is no map", MAPS, "text[a]=1", "UNKNOWN_PARAMETER"),
    rejects("a map of messages", "http.proto: no repeated messages", "helds_by_name[a]=1", "UNKNOWN_PARAMETER"),
    rejects("a repeated message", "http.proto: no repeated messages", "helds.text=1", "UNKNOWN_PARAMETER"),
    rejects("a message itself", "http.proto: no repeated messages", "held=1", "UNKNOWN_PARAMETER"),
    rejects("a field that is not there", UNKNOWN, "nope=1", "UNKNOWN_PARAMETER"),
    rejects("below a message", UNKNOWN, "held.nope=1", "UNKNOWN_PARAMETER"),
    rejects("below a text", UNKNOWN, "text.x=1", "UNKNOWN_PARAMETER"),
    rejects("after known ones", UNKNOWN, "text=x&nope=1", "UNKNOWN_PARAMETER"),
    rejects("names have a case", UNKNOWN, "TEXT=1", "UNKNOWN_PARAMETER"),
    rejects("one value for one field", "http.proto: query", "text=a&text=b"),
    rejects("in either spelling", "http.proto: query", "an_int32=1&anInt32=2"),
    rejects("an unknown name", "gateway.md: settled 3", "shade=PINK"),
    rejects("names have a case, enums' too", "gateway.md: settled 3", "shade=dark"),
    rejects("no integer", "ProtoJSON: int32", "an_int32=x"),
    rejects("an empty integer", "ProtoJSON: int32", "an_int32="),
    rejects("a fraction", "ProtoJSON: int32", "an_int32=1.5"),
    rejects("beyond 32 bits", "ProtoJSON: int32", "an_int32=2147483648"),
    rejects("below 0", "ProtoJSON: int32", "a_uint32=-1"),
    rejects("beyond 64 bits", "ProtoJSON: int64", "an_int64=9223372036854775808"),
    rejects("another script's digits", "ProtoJSON: int32", "an_int32=%D9%A1"),
    rejects("beyond a float", "ProtoJSON: float", "a_float=3.5e38"),
    rejects("beyond a double", "ProtoJSON: float", "a_double=1e400"),
    rejects("another word for truth", "ProtoJSON: bool", "a_bool=1"),
    rejects("no base64", "ProtoJSON: bytes", "some_bytes=!"),
    rejects("no time", "ProtoJSON: Timestamp", "time=2026-02-30T00:00:00Z"),
    rejects("no unit", "ProtoJSON: Duration", "duration=5"),
    binds("a key of nothing", MAPS, "labels[]=x", 'labels { key: "" value: "x" }'),
    binds("a value of nothing", MAPS, "labels[a]=", 'labels { key: "a" value: "" }'),
    rejects("an index of a list", MAPS, "texts[0]=1", "UNKNOWN_PARAMETER"),
    rejects("a key of nothing known", MAPS, "nope[a]=1", "UNKNOWN_PARAMETER"),
    rejects("an unknown name of an enum in a map", MAPS, "by_bool[true]=PINK"),
    rejects("below a list", UNKNOWN, "texts.x=1", "UNKNOWN_PARAMETER"),
    rejects("free JSON", "http.proto: no repeated messages", "struct=1", "UNKNOWN_PARAMETER"),
    rejects("underscores", "ProtoJSON: int32", "an_int32=1_0"),
    rejects("five thousand digits", "ProtoJSON: int64", "an_int64=" + "9" * 5000),
    rejects("Python's infinity", "ProtoJSON: float", "a_double=inf"),
    binds("the smallest int64", "ProtoJSON: int64", "a_sint64=-9223372036854775808", "a_sint64: -9223372036854775808"),
)
