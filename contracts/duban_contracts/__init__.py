"""The language of Duban. Importing the package fills the catalogue of messages."""

from duban_contracts import topology as topology
