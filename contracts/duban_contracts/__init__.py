"""The language of Duban. Importing the package fills the catalogue of messages."""

from duban_contracts import escalation as escalation
from duban_contracts import time as time
from duban_contracts import topology as topology
