"""The standard methods of the AIPs, by their HTTP mappings."""

from tests.gateway.conformance.cases import Case, get, request, send, takes

VOLUMES = "/v1/publishers/p/volumes"
VOLUME = f"{VOLUMES}/v"

CASES: tuple[Case, ...] = (
    takes("get", "AIP-131: Get", get(VOLUME), 'GetVolume(name: "publishers/p/volumes/v")'),
    takes(
        "get in part",
        "AIP-157: read_mask",
        get(f"{VOLUME}?readMask=title,writer.displayName"),
        'GetVolume(name: "publishers/p/volumes/v" read_mask { paths: "title" paths: "writer.display_name" })',
    ),
    takes(
        "list",
        "AIP-132: List",
        get(f"{VOLUMES}?page_size=10&filter=title%3D%22a%20b%22&orderBy=title%20desc&show_deleted=true"),
        'ListVolumes(parent: "publishers/p" page_size: 10 filter: "title=\\"a b\\"" order_by: "title desc" '
        "show_deleted: true)",
    ),
    takes(
        "list across parents",
        "AIP-159: wildcards",
        get("/v1/publishers/-/volumes"),
        'ListVolumes(parent: "publishers/-")',
    ),
    takes(
        "the next page",
        "AIP-158: page_token",
        get(f"{VOLUMES}?pageToken=a%2Bb%2Fc%3D%3D"),
        'ListVolumes(parent: "publishers/p" page_token: "a+b/c==")',
    ),
    Case(
        "a page",
        "AIP-158: next_page_token",
        get(VOLUMES),
        answers=('volumes { title: "T" } volumes {} next_page_token: "n"',),
        body=b'{"volumes":[{"title":"T"},{}],"nextPageToken":"n"}',
    ),
    Case("the last page", "AIP-158: next_page_token", get(VOLUMES), answers=("",), body=b"{}"),
    Case(
        "create",
        "AIP-133: Create",
        send("POST", f"{VOLUMES}?volume_id=v&validate_only=true", '{"title":"T"}'),
        201,
        'CreateVolume(parent: "publishers/p" volume_id: "v" volume { title: "T" } validate_only: true)',
    ),
    takes(
        "update",
        "AIP-134: Update",
        send("PATCH", f"{VOLUME}?updateMask=title", '{"title":"T"}'),
        'UpdateVolume(volume { name: "publishers/p/volumes/v" title: "T" } update_mask { paths: "title" })',
    ),
    Case(
        "delete",
        "AIP-135: Delete",
        request("DELETE", f"{VOLUME}?force=true"),
        204,
        'DeleteVolume(name: "publishers/p/volumes/v" force: true)',
        body=b"",
    ),
    Case(
        "delete a version",
        "AIP-135: etag",
        request("DELETE", f"{VOLUME}?etag=1.2"),
        204,
        'DeleteVolume(name: "publishers/p/volumes/v" etag: "1.2")',
    ),
    takes(
        "a custom method",
        "AIP-136: custom methods",
        send("POST", f"{VOLUME}:archive", '{"reason":"old"}'),
        'ArchiveVolume(name: "publishers/p/volumes/v" reason: "old")',
    ),
    takes(
        "a custom method without arguments",
        "AIP-136: custom methods",
        request("POST", f"{VOLUME}:archive"),
        'ArchiveVolume(name: "publishers/p/volumes/v")',
    ),
    takes(
        "a batch",
        "AIP-231: BatchGet",
        get(f"{VOLUMES}:batchGet?names=publishers/p/volumes/a&names=publishers/p/volumes/b"),
        'BatchGetVolumes(parent: "publishers/p" names: "publishers/p/volumes/a" names: "publishers/p/volumes/b")',
    ),
    takes(
        "a path is transcoded whatever its host",
        "AIP-127: HTTP and gRPC transcoding",
        get(VOLUME, x_forwarded_host="other.example.com"),
        'GetVolume(name: "publishers/p/volumes/v")',
    ),
)
