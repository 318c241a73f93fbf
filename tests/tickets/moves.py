"""Every attempt to move a ticket, from every status, by everybody, and what must come of it: made from TRANSITIONS and
from the policies of the rpcs, for tests over gRPC and over REST."""

from dataclasses import dataclass
from itertools import product

from sagamesh.tickets.v1 import ticket_pb2

from mesh.call import Principal
from mesh.policy import method_policy
from tickets.domain import TRANSITIONS, Move, Party, Status

RPCS = {Move.ANSWER: "AnswerTicket", Move.AWAIT_REPLY: "AwaitReply", Move.CLOSE: "CloseTicket"}
ROLES = {"author": (), "stranger": (), "agent": ("agent",), "agent who is the author": ("agent",)}
"""Who tries, and the roles that they have."""
PARTIES = {
    "author": {Party.AUTHOR},
    "stranger": set[Party](),
    "agent": {Party.AGENT},
    "agent who is the author": {Party.AUTHOR, Party.AGENT},
}


@dataclass(frozen=True)
class Attempt:
    """Somebody tries a move. `code` is the name of what must come of it; `to` is where an OK leads, `allowed` what a
    FAILED_PRECONDITION offers instead."""

    status: Status
    move: Move
    who: str
    code: str
    to: Status
    allowed: str

    @property
    def rpc(self) -> str:
        """The rpc that makes the move."""
        return RPCS[self.move]


def _attempt(status: Status, move: Move, who: str) -> Attempt:
    exits = {tried: way.to for tried, way in TRANSITIONS[status].items() if way.by & PARTIES[who]}
    allowed = ",".join(to.name for to in exits.values())
    method = ticket_pb2.DESCRIPTOR.services_by_name["TicketService"].methods_by_name[RPCS[move]]
    if not method_policy(method).access.admits(Principal("user:somebody", frozenset(ROLES[who]))):
        code = "PERMISSION_DENIED"
    elif not PARTIES[who]:
        code = "NOT_FOUND"
    else:
        code = "OK" if move in exits else "FAILED_PRECONDITION"
    return Attempt(status, move, who, code, exits.get(move, status), allowed)


ATTEMPTS = [_attempt(status, move, who) for status, move, who in product(Status, Move, ROLES)]
IDS = [f"{one.status.name}-{one.move.name}-{one.who}" for one in ATTEMPTS]
