"""The receiver's side of reliable messaging: a message has its effect once, however often it is delivered.

delivery.py   a batch in one transaction: new messages handled in rounds, duplicates answered from memory
barrier.py    what a saga's step may still do: a late action after its compensation does nothing
store.py      what was handled, as rows
servicer.py   InboxService
"""
