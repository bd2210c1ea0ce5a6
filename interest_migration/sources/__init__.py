"""From anybody's log files to batches of the event contract.

mapping.py    the validated mapping (YAML), with its parts in fields.py and tables_of_files in file_sources.py
files.py      which files, in which pieces, with which fingerprint
reading.py    one piece -> batches of events and of rejected rows
tables.py     item and user tables
"""
