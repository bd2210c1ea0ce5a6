"""From anybody's log files to batches of the event contract.

`mapping` is the validated mapping, its parts are in `fields` and `file_sources`; `files` says what there is to read, in
which pieces and with which fingerprint; `reading` turns a piece into events and rejected rows; `tables` holds what is
known of items and users. `draft` writes a first mapping for files about which nothing is known yet.
"""
