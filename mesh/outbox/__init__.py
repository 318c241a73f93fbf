"""The producer's side of reliable messaging: what a transaction wrote is delivered, in order within each key.

    store.py         messages as rows
    leases.py        which relay holds which buckets, fenced by epochs
    pull.py          what a relay may have next
    settle.py        what became of messages: rows deleted, sagas advanced, failures counted
    dead_letters.py  messages given up: kept, listed, redriven
    servicer.py      OutboxService

docs/messaging.md draws the protocol and lists what it survives.
"""
