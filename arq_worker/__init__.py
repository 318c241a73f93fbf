"""The worker: relays every service's outbox, and runs every service's periodic tasks on time.

It holds no truth, opens no database and knows no domain: killing it, or flushing its Redis, loses nothing.

    relay.py      one producer's outbox, pulled, delivered and settled
    lane.py       what goes to one destination: one batch at a time, backed off when it fails
    schedule.py   the arq jobs: periodic tasks of the services
    worker.py     the arq frame, with its traps
    __main__.py   settings -> wiring -> run
"""
