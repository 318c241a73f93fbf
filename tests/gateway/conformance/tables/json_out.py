"""Message -> JSON: the JSON mapping of protobuf, with gateway.md settled 3. Bodies are compared byte for byte."""

from tests.gateway.conformance.cases import Case, get

NAMES, DEFAULTS, INT64, FLOAT = (
    "ProtoJSON: field names",
    "gateway.md: settled 3",
    "ProtoJSON: int64",
    "ProtoJSON: float",
)
ENUM, BYTES, MAP, STRING = "ProtoJSON: enum", "ProtoJSON: bytes", "ProtoJSON: map", "ProtoJSON: string"


def writes(id: str, source: str, answer: str, json: str) -> Case:
    """A message of the service, and the JSON that it becomes."""
    return Case(
        id, source, get("/query"), answers=(answer,), body=json.encode(), headers={"content-type": "application/json"}
    )


CASES: tuple[Case, ...] = (
    writes("nothing", DEFAULTS, "", "{}"),
    writes("defaults are left out", DEFAULTS, 'text: "" an_int32: 0 a_bool: false shade: SHADE_UNSPECIFIED', "{}"),
    writes(
        "but not where there is presence",
        "protobuf: presence",
        'maybe_text: "" maybe_int32: 0 maybe_bool: false maybe_shade: SHADE_UNSPECIFIED',
        '{"maybeText":"","maybeInt32":0,"maybeBool":false,"maybeShade":"SHADE_UNSPECIFIED"}',
    ),
    writes("nor of a oneof's member", "protobuf: oneof", "right: 0", '{"right":0}'),
    writes("nor of a message", "protobuf: presence", "held {}", '{"held":{}}'),
    writes(
        "lowerCamelCase",
        NAMES,
        'an_int32: 1 foo__bar2_baz: "a" _leading: "b" UPPER_case: "c"',
        '{"anInt32":1,"fooBar2Baz":"a","Leading":"b","UPPERCase":"c"}',
    ),
    writes("json_name", "ProtoJSON: json_name", 'renamed: "a"', '{"otherName":"a"}'),
    writes(
        "integers of 32 bits are numbers",
        "ProtoJSON: int32",
        "an_int32: -2147483648 a_uint32: 4294967295 a_sint32: -1 a_fixed32: 1 a_sfixed32: -1",
        '{"anInt32":-2147483648,"aUint32":4294967295,"aSint32":-1,"aFixed32":1,"aSfixed32":-1}',
    ),
    writes(
        "of 64 bits, texts",
        INT64,
        "an_int64: -9223372036854775808 a_uint64: 18446744073709551615 a_sint64: -1 a_fixed64: 1 a_sfixed64: -1",
        '{"anInt64":"-9223372036854775808","aUint64":"18446744073709551615","aSint64":"-1","aFixed64":"1",'
        '"aSfixed64":"-1"}',
    ),
    writes("values of maps too", INT64, 'counts { key: "a" value: 5 }', '{"counts":{"a":"5"}}'),
    writes("fractions", FLOAT, "a_float: 0.5 a_double: -1.5", '{"aFloat":0.5,"aDouble":-1.5}'),
    writes(
        "nor has one anywhere below",
        FLOAT,
        'floats: 0.1 floats: 0.2 held { a_float: 0.3 } helds_by_name { key: "a" value { a_float: 0.7 } } '
        "wrapped_float { value: 16777216 } middle { a_float: -1e-45 }",
        '{"held":{"aFloat":0.3},"floats":[0.1,0.2],"heldsByName":{"a":{"aFloat":0.7}},"middle":{"aFloat":-1.4013e-45},'
        '"wrappedFloat":16777216.0}',
    ),
    writes(
        "the largest float has all digits, for readers to whom fewer are too many",
        FLOAT,
        "a_float: 3.4028235e+38 floats: -0.0",
        '{"aFloat":3.4028234663852886e+38,"floats":[-0.0]}',
    ),
    writes("a float has no digits of a double", FLOAT, "a_float: 0.1", '{"aFloat":0.1}'),
    writes(
        "NaN and infinities are texts",
        FLOAT,
        "a_float: nan a_double: -inf floats: inf",
        '{"aFloat":"NaN","aDouble":"-Infinity","floats":["Infinity"]}',
    ),
    writes("a truth", "ProtoJSON: bool", "a_bool: true", '{"aBool":true}'),
    writes(
        "enums are names",
        ENUM,
        "shade: DARK shades: LIGHT shades: SHADE_UNSPECIFIED",
        '{"shade":"DARK","shades":["LIGHT","SHADE_UNSPECIFIED"]}',
    ),
    writes("unknown ones are numbers", ENUM, "shade: 77 shades: -1", '{"shade":77,"shades":[-1]}'),
    writes(
        "bytes are base64 with padding",
        BYTES,
        r'some_bytes: "\373\377" blobs: "" blobs: "\000"',
        '{"someBytes":"+/8=","blobs":["","AA=="]}',
    ),
    writes("texts are UTF-8", STRING, 'text: "ü€😀"', '{"text":"ü€😀"}'),
    writes("controls and quotes are escaped", STRING, r'text: "\"\\\n\000"', r'{"text":"\"\\\n\u0000"}'),
    writes(
        "lists",
        "ProtoJSON: repeated",
        'texts: "a" texts: "" numbers: 0 helds {}',
        '{"texts":["a",""],"numbers":[0],"helds":[{}]}',
    ),
    writes(
        "keys of maps are texts",
        MAP,
        'by_int32 { key: -1 value: "a" } by_uint64 { key: 18446744073709551615 value: "b" } '
        "by_bool { key: true value: DARK }",
        '{"byInt32":{"-1":"a"},"byUint64":{"18446744073709551615":"b"},"byBool":{"true":"DARK"}}',
    ),
    writes(
        "messages by name", MAP, 'helds_by_name { key: "a" value { text: "b" } }', '{"heldsByName":{"a":{"text":"b"}}}'
    ),
)
