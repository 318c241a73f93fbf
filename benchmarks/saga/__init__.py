"""How fast sagas complete, and what that costs: `make bench-saga`.

Every figure comes from the real system (`sagamesh up`) in a directory of its own, and every ratio from one run:

    throughput.py    scores through REST until CONFIRMED, beside SubmitScore alone while nobody relays
    latency.py       from the commit of a score to the commit of its confirmation, at a steady rate
    relay.py         a waiting outbox relayed, beside one arq job a message
    one_job.py       that arq worker
    floor.py         what the machine commits and calls at most
    system.py        the stack under test: its processes, databases and tokens
    scores.py        events, and scores that nobody has given yet
    backlog.py       messages put into the outbox without the service
    submit_load.py   SubmitScore called without the gateway
    report.py        the tables
"""
