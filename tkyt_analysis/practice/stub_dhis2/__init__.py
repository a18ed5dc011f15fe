"""A DHIS2 that is none: a server on 127.0.0.1 for training and tests, with the answers and the faults of a real one.

It answers from practice data or from files of a DHIS2 export, keeps what is pushed in memory, can replay recorded
exchanges, and can be told to misbehave. It never listens to other machines.
"""

from tkyt_analysis.practice.stub_dhis2.faults import FAULTS, Fault
from tkyt_analysis.practice.stub_dhis2.server import StubServer
from tkyt_analysis.practice.stub_dhis2.store import Store, load_store, practice_store

__all__ = ["FAULTS", "Fault", "Store", "StubServer", "load_store", "practice_store"]
