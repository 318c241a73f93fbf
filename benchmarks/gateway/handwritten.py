"""`python -m benchmarks.gateway.handwritten TARGET PORT`: the routes that somebody would write by hand.

Ordinary and fair: parameters and bodies are validated by pydantic, a typed stub is called, json_format makes the JSON.
Nothing is logged or counted, and an answer goes past FastAPI's own encoder, which would look at it once more.
"""

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from uuid import UUID

import grpc
import uvicorn
from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from google.protobuf.json_format import MessageToDict, MessageToJson, ParseDict
from pydantic import BaseModel, Field
from sagamesh.line_provider.v1 import event_pb2_grpc
from sagamesh.line_provider.v1.event_pb2 import (
    CreateEventRequest,
    Event,
    GetEventRequest,
    ListEventsRequest,
    WatchEventRequest,
)

from mesh.status import HTTP_STATUS

if TYPE_CHECKING:
    from sagamesh.line_provider.v1.event_pb2_grpc import EventServiceAsyncStub

_TIMEOUT = 5.0
Token = Annotated[str, Header(alias="authorization")]


class NewEvent(BaseModel):
    """The body of a POST."""

    title: str = Field(min_length=1, max_length=200)
    deadline: datetime


def application(target: str) -> FastAPI:
    """The routes over one channel."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with grpc.aio.insecure_channel(target) as channel:
            app.state.events = event_pb2_grpc.EventServiceStub(channel)
            yield

    app = FastAPI(lifespan=lifespan)
    app.add_exception_handler(grpc.aio.AioRpcError, _failed)
    app.get("/v1/events/{event_id}:watch")(_watch_event)
    app.get("/v1/events/{event_id}")(_get_event)
    app.get("/v1/events")(_list_events)
    app.post("/v1/events")(_create_event)
    return app


async def _get_event(event_id: UUID, request: Request, authorization: Token) -> JSONResponse:
    event = await _stub(request).GetEvent(
        GetEventRequest(event_id=str(event_id)), timeout=_TIMEOUT, metadata=[("authorization", authorization)]
    )
    return JSONResponse(MessageToDict(event))


async def _list_events(
    request: Request,
    authorization: Token,
    page_size: Annotated[int, Query(ge=0, le=500)] = 0,
    open: bool | None = None,
    status: Literal["PROCESSING", "LOW_SCORE", "HIGH_SCORE"] | None = None,
) -> JSONResponse:
    query = ListEventsRequest(page_size=page_size, open=open, status=status)
    page = await _stub(request).ListEvents(query, timeout=_TIMEOUT, metadata=[("authorization", authorization)])
    return JSONResponse(MessageToDict(page))


async def _create_event(body: NewEvent, request: Request, authorization: Token) -> JSONResponse:
    event = ParseDict(body.model_dump(mode="json"), Event())
    created = await _stub(request).CreateEvent(
        CreateEventRequest(event=event), timeout=_TIMEOUT, metadata=[("authorization", authorization)]
    )
    return JSONResponse(MessageToDict(created), status_code=201, headers={"location": f"/v1/events/{created.event_id}"})


async def _watch_event(
    event_id: UUID, request: Request, authorization: Token, after_version: int = 0
) -> StreamingResponse:
    query = WatchEventRequest(event_id=str(event_id), after_version=after_version)
    call = _stub(request).WatchEvent(query, metadata=[("authorization", authorization)])

    async def lines() -> AsyncIterator[str]:
        async for event in call:
            yield MessageToJson(event, indent=None) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def _failed(request: Request, error: Exception) -> JSONResponse:
    failure = cast(grpc.aio.AioRpcError, error)
    code = failure.code()
    http_status = HTTP_STATUS[int(code.value[0])]
    body = {"code": http_status, "status": code.name, "message": failure.details()}
    return JSONResponse({"error": body}, status_code=http_status)


def _stub(request: Request) -> "EventServiceAsyncStub":
    state: Any = request.app.state
    return state.events


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), log_level="warning", access_log=False)
