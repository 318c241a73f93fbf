"""Sagas: work across services that ends whole or is taken back whole, owned by the service that starts it.

definition.py   what a saga is made of, as a service declares it
machine.py      what an event does to a saga: a total table, pure
store.py        sagas and their log as rows
engine.py       starts sagas and applies events to sets of them, in the caller's transaction
servicer.py     SagaService
"""

from mesh.saga.definition import Progress, Saga, Step
from mesh.saga.engine import Sagas
from mesh.saga.servicer import SagaServicer
from mesh.saga.store import read_saga

__all__ = ["Progress", "Saga", "SagaServicer", "Sagas", "Step", "read_saga"]
