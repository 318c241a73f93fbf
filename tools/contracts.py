"""Compiles proto/ into gen/, checks the contracts with buf, and releases their baseline.

Third-party protos come from installed wheels: google/* from googleapis-common-protos, buf/validate from the
descriptor that protovalidate carries (no wheel ships its text).
"""

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb  # the wheel's only copy of the contract

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GEN = ROOT / "gen"
BASELINE = PROTO / "baseline.binpb"
IMAGE = "sagamesh.binpb"


class ContractError(Exception):
    """The contracts do not compile, lint, or stay compatible."""


def main() -> int:
    """Runs one of the contract commands; its errors are sentences on stderr."""
    parser = argparse.ArgumentParser(prog="python -m tools.contracts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("gen", help="regenerate gen/ from proto/")
    commands.add_parser("check", help="lint, format, breaking changes, and gen/ up to date")
    commands.add_parser("format", help="format proto/ in place")
    commands.add_parser("release", help="make the present contracts the baseline; refuses breaking changes")
    args = parser.parse_args()
    actions = {"gen": regenerate, "check": check, "format": format_protos, "release": release}
    try:
        actions[args.command]()
    except ContractError as error:
        print(f"contracts: {error}", file=sys.stderr)
        return 1
    return 0


def regenerate() -> None:
    """Replaces gen/ with what proto/ compiles to."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        shutil.rmtree(GEN, ignore_errors=True)
        shutil.copytree(folder, GEN)


def check() -> None:
    """Raises ContractError on a lint, format, compatibility or staleness fault."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        buf("lint", str(fresh / IMAGE))
        buf("format", "proto", "--diff", "--exit-code")
        if BASELINE.exists():
            buf("breaking", str(fresh / IMAGE), "--against", str(BASELINE))
        if stale := differences(fresh, GEN):
            raise ContractError(f"gen/ is not what proto/ compiles to; run `make gen`: {', '.join(stale)}")


def format_protos() -> None:
    """Formats proto/ in place."""
    buf("format", "proto", "--write")


def release() -> None:
    """Makes the present contracts the baseline that later changes are held against."""
    check()
    shutil.copy(GEN / IMAGE, BASELINE)


def generate(target: Path) -> None:
    """Compiles stubs, type stubs and the image into `target`."""
    with tempfile.TemporaryDirectory() as folder:
        deps = Path(folder) / "deps.binpb"
        deps.write_bytes(third_party().SerializeToString(deterministic=True))
        ours = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
        common = ["protoc", f"-I{PROTO}", f"--descriptor_set_in={deps}"]
        python = [f"--python_out={target}", f"--pyi_out={target}"]
        services = [name for name in ours if "\nservice " in (PROTO / name).read_text()]
        compile_protos([*common, *python, *ours])
        typing = f"--plugin=protoc-gen-mypy_grpc={tool('protoc-gen-mypy_grpc')}"
        compile_protos([*common, typing, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services])
        compile_protos([*common, *python, "buf/validate/validate.proto"])
        image = ["--include_imports", "--include_source_info", f"--descriptor_set_out={target / IMAGE}"]
        compile_protos([*common, *image, *ours])


def third_party() -> FileDescriptorSet:
    """Descriptors of every proto that ours may import, compiled or taken from wheels."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "google.binpb"
        wheel = Path(annotations_pb2.__file__).parents[2]
        names = ["google/api/annotations.proto", "google/api/field_behavior.proto", "google/api/httpbody.proto"]
        names += ["google/rpc/code.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"]
        well_known = Path(grpc_tools.__file__).parent / "_proto"
        names += sorted(str(path.relative_to(well_known)) for path in well_known.glob("google/protobuf/*.proto"))
        paths = [f"-I{wheel}", f"-I{well_known}"]
        options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={out}"]
        compile_protos(["protoc", *paths, *options, *names])
        result = FileDescriptorSet.FromString(out.read_bytes())
    result.file.append(FileDescriptorProto.FromString(validate_pb.desc().proto.to_binary()))
    return result


def compile_protos(args: list[str]) -> None:
    """Runs protoc; it has printed what is wrong when this raises."""
    if protoc.main(args) != 0:  # pyright: ignore[reportUnknownMemberType]  # untyped
        raise ContractError("proto/ does not compile")


def differences(fresh: Path, committed: Path) -> list[str]:
    """Names of generated files that are missing, left over, or other than `fresh` has them."""
    names = {str(p.relative_to(root)) for root in (fresh, committed) for p in root.rglob("*") if generated(p)}
    return sorted(n for n in names if not same(fresh / n, committed / n))


def generated(path: Path) -> bool:
    """Whether a path is a generated file rather than a folder or a byte-code cache."""
    return path.is_file() and "__pycache__" not in path.parts


def same(left: Path, right: Path) -> bool:
    """Whether both files exist with equal bytes."""
    return left.exists() and right.exists() and filecmp.cmp(left, right, shallow=False)


def tool(name: str) -> str:
    """The path of a command of this environment."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or name


def buf(*args: str) -> None:
    """Runs the buf command line with the repository's buf.yaml."""
    binary = tool("buf")
    config = [] if args[0] == "format" else ["--config", "buf.yaml"]
    done = subprocess.run([binary, *args, *config], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise ContractError(f"buf {args[0]} found:\n{done.stdout}{done.stderr}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
