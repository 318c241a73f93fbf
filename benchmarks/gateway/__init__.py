"""What a request costs the gateway, beside Envoy and a route written by hand: `make bench-gateway`.

Three fronts translate the same requests for the same service, one after the other in rounds that alternate, so that a
busy moment of the machine hits all of them:

    ours          this gateway, as `sagamesh gateway` runs it, with its log and its metrics
    envoy         Envoy's grpc_json_transcoder with one worker (envoy.py)
    handwritten   a FastAPI application with pydantic, grpc.aio and json_format (handwritten.py)

    fronts.py     starts them, and the service behind them (backend.py), each a process of its own
    canned_http2.py  the service's HTTP/2
    requests.py   what is asked
    agreement.py  that all three answer the same, before anything is measured
    rounds.py     the measuring
    codec.py      the step from protobuf to JSON alone
    report.py     the tables
"""
